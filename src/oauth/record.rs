//! What the workers share of a source: where its state stands, and the set itself as the issuer wrote it.

use serde::{Deserialize, Serialize};

use super::{fetch_error::FetchError, pending_fetch::Fetched};
use crate::{
    outbound::{call::Response, refresh::RefreshState},
    time::UnixTime,
};

/// Everything a worker needs to go on where another left off.
/// By default before the first fetch.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) header: Header,
    /// The set, or nothing.
    pub(super) body: Vec<u8>,
}

#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Header {
    pub(super) state: RefreshState,
    pub(super) validators: Validators,
    /// Where the issuer's metadata said that its keys are, and when.
    pub(super) found: Option<(String, UnixTime)>,
}

/// What makes the next fetch conditional (RFC 9110 section 8.8).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Record {
    /// Reads what [`Record::encode`] wrote, or a worker of the same version of claimgate.
    pub(super) fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let header = serde_json::from_slice(bytes.get(..end)?).ok()?;
        bytes.drain(..=end);
        Some(Self { header, body: bytes })
    }

    /// Keeps what was found beside the state. Metadata that led to a failure are asked for again.
    pub(super) fn note(&mut self, find: &Result<Fetched, FetchError>, now: UnixTime) {
        match find {
            Ok(Fetched::Location(keys)) => self.header.found = Some((keys.url(), now)),
            Ok(Fetched::Set(_, response, ..)) => {
                self.header.validators = Validators::of(response);
                self.body.clone_from(&response.body);
            }
            Ok(Fetched::Same(..)) => (),
            Err(_) => self.header.found = None,
        }
    }

    /// The header as one line of JSON, then the set.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.header).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Validators {
    pub(super) fn of(response: &Response) -> Self {
        let value = |name| response.values(name).next().map(str::to_owned);
        Self { etag: value("etag"), last_modified: value("last-modified") }
    }

    /// As headers of a request (RFC 9110 section 13.1).
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let etag = self.etag.clone().map(|etag| ("if-none-match", etag));
        etag.into_iter().chain(self.last_modified.clone().map(|date| ("if-modified-since", date))).collect()
    }
}
