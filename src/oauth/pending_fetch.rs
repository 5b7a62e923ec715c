//! A fetch on its way: what it asks for, and what the answer brings.

use sha2::{Digest, Sha256};

use super::{discovery::Discovery, fetch_error::FetchError};
use crate::{
    encoding::hex,
    jose::algorithm::Algorithm,
    keys::{KeySet, Skipped, UnusableKeySet},
    outbound::{call::Response, endpoint::Endpoint, refresh::Lease},
    time::UnixTime,
};

/// A fetch of this worker's.
#[derive(Debug)]
pub(super) struct PendingFetch {
    pub(super) lease: Lease,
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
    /// The location of the keys.
    Location(Endpoint),
    /// A set, by the digest of its bytes.
    Set(String, Response, KeySet, Vec<Skipped>),
    /// The set of this digest, still (RFC 9110 section 15.4.5).
    Same(String, Response),
}

impl Stage {
    /// What is asked.
    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Metadata(discovery) => &discovery.metadata,
            Self::Keys(endpoint, _) => endpoint,
        }
    }

    /// What an answer brings.
    pub(super) fn read(&self, response: Response) -> Result<Fetched, FetchError> {
        match self {
            Self::Metadata(discovery) => discovery.read(response.document()?).map(Fetched::Location),
            Self::Keys(_, Some(digest)) if response.status == 304 => Ok(Fetched::Same(digest.clone(), response)),
            Self::Keys(..) => {
                let body = response.document()?;
                let (set, skipped) = KeySet::parse(body, Algorithm::ASYMMETRIC);
                let digest = hex::encode(&Sha256::digest(body));
                match set {
                    Ok(set) => Ok(Fetched::Set(digest, response, set, skipped)),
                    Err(UnusableKeySet::NoUsableKey) => Err(FetchError::NoUsableKey),
                    Err(UnusableKeySet::NotJson | UnusableKeySet::NoKeys) => Err(FetchError::NotJson),
                }
            }
        }
    }
}
