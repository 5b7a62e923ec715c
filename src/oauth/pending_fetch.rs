//! A fetch under way: what it asks for, and what the answer brings.

use super::{discovery::Discovery, fetch_error::FetchError};
use crate::{
    jose::algorithm::Algorithm,
    keys::{KeySet, Skipped, UnusableKeySet},
    outbound::{call::Response, endpoint::Endpoint, refresh::Lease},
    time::UnixTime,
};

/// A fetch of this worker's.
#[derive(Debug)]
pub(super) struct PendingFetch {
    /// This VM's own leave to ask.
    pub(super) own: Lease,
    /// The lease of the whole proxy, if this worker has it.
    pub(super) shared: Option<Lease>,
    /// The digest of the set that the others had when it began.
    pub(super) follows: Option<String>,
    pub(super) stage: Stage,
    pub(super) since: UnixTime,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// Asking the issuer where its keys are.
    Metadata(Discovery),
    /// Asking for the keys, unless they are still those of this digest.
    Keys(Endpoint, Option<String>),
}

/// What a whole answer brought.
pub(super) enum Fetched {
    /// Where the keys are.
    Location(Endpoint),
    /// A set, and its members that can't be used.
    Set(Response, KeySet, Vec<Skipped>),
    /// The set of this digest, still (RFC 9110 section 15.4.5).
    NotModified(Response, String),
}

impl Stage {
    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Metadata(discovery) => &discovery.metadata,
            Self::Keys(endpoint, _) => endpoint,
        }
    }

    pub(super) fn read(&self, response: Response) -> Result<Fetched, FetchError> {
        match self {
            Self::Metadata(discovery) => discovery.read(response.document()?).map(Fetched::Location),
            Self::Keys(_, Some(digest)) if response.status == 304 => Ok(Fetched::NotModified(response, digest.clone())),
            Self::Keys(..) => {
                let (set, skipped) = KeySet::parse_fetched(response.document()?, Algorithm::ASYMMETRIC);
                match set {
                    Ok(set) => Ok(Fetched::Set(response, set, skipped)),
                    Err(UnusableKeySet::NoUsableKey) => Err(FetchError::NoUsableKey),
                    Err(UnusableKeySet::TooManyKeys) => Err(FetchError::TooManyKeys),
                    Err(UnusableKeySet::NotJson | UnusableKeySet::NoKeys) => Err(FetchError::NotJson),
                }
            }
        }
    }
}
