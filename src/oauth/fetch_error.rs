//! Why a fetch of keys failed: one class for log and metric.

use std::{borrow::Cow, fmt};

use crate::{keys::MAX_FETCHED_KEYS, outbound::call::CallError};

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FetchError {
    /// There was no usable response.
    Call(CallError),
    /// Neither a JSON object nor, of a key set, one with a list `keys`.
    NotJson,
    /// More members in a key set than are read.
    TooManyKeys,
    /// No key in it can be used.
    NoUsableKey,
    /// The metadata are another issuer's.
    IssuerMismatch,
    /// The metadata name keys on a host that is not allowed, or name none.
    HostNotAllowed,
}

impl From<CallError> for FetchError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl FetchError {
    /// The label in metrics and in the log.
    pub fn class(self) -> Cow<'static, str> {
        match self {
            Self::Call(error) => error.class(),
            Self::NotJson => "not_json".into(),
            Self::TooManyKeys => "too_large".into(),
            Self::NoUsableKey => "no_usable_key".into(),
            Self::IssuerMismatch => "issuer_mismatch".into(),
            Self::HostNotAllowed => "host_not_allowed".into(),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::NotJson => f.write_str("the answer is not the JSON it should be"),
            Self::TooManyKeys => write!(f, "the set has more than {MAX_FETCHED_KEYS} keys"),
            Self::NoUsableKey => f.write_str("no key in the set can be used"),
            Self::IssuerMismatch => f.write_str("the metadata are of another issuer"),
            Self::HostNotAllowed => f.write_str("the metadata name a `jwks_uri` on a host that is not in `jwksHosts`"),
        }
    }
}
