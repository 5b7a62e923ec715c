//! Where an issuer's keys are, in its own words (OpenID Connect Discovery 1.0).

use serde_json::Value;

use super::fetch_error::FetchError;
use crate::outbound::endpoint::Endpoint;

/// An issuer that says itself where its keys are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    /// What its metadata must call it, exactly.
    pub issuer: String,
    pub metadata: Endpoint,
    /// Other hosts its keys may be on, in lower case (`jwksHosts`).
    pub hosts: Vec<String>,
}

impl Discovery {
    /// The location of the keys, if the metadata may send us there: to the issuer's host or a listed one, and never from
    /// `https` to `http`.
    pub fn keys_at(&self, url: &str) -> Option<Endpoint> {
        let there = Endpoint::parse(url, None)?;
        if self.metadata.is_https && !there.is_https {
            return None;
        }
        if there.authority == self.metadata.authority {
            return Some(Endpoint { cluster: self.metadata.cluster.clone(), ..there });
        }
        self.hosts.contains(&there.authority).then_some(there)
    }
}

impl Discovery {
    /// Where the metadata say that the keys are.
    ///
    /// # Errors
    /// Metadata that are another issuer's (OpenID Connect Discovery 1.0 section 4.3), or that lead elsewhere.
    pub fn read(&self, metadata: &[u8]) -> Result<Endpoint, FetchError> {
        let metadata: Value = serde_json::from_slice(metadata).map_err(|_| FetchError::NotJson)?;
        let text = |member: &str| metadata.get(member).and_then(Value::as_str);
        if !metadata.is_object() {
            return Err(FetchError::NotJson);
        }
        if text("issuer") != Some(&self.issuer) {
            return Err(FetchError::IssuerMismatch);
        }
        text("jwks_uri").and_then(|url| self.keys_at(url)).ok_or(FetchError::HostNotAllowed)
    }
}
