//! Where a remote key set comes from and on what policy it is held.

use sha2::{Digest, Sha256};

use super::discovery::Discovery;
use crate::{
    encoding::hex,
    outbound::{endpoint::Endpoint, refresh::RefreshPolicy},
};

/// One remote key set. Rules that say the same of it share it.
#[derive(Clone, Debug)]
pub struct JwksSource {
    /// What logs and metrics call it: the name of the first rule that has it.
    pub name: String,
    /// Where it is.
    pub location: JwksLocation,
    /// On what policy it is held.
    pub policy: RefreshPolicy,
}

/// How to get at a key set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum JwksLocation {
    /// It is there (`jwksUri`).
    Uri(Endpoint),
    /// The issuer's metadata say where (OpenID Connect Discovery 1.0 section 4).
    Discovery(Discovery),
}

impl JwksSource {
    /// Whether another says the same, but for the name.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.location == other.location && self.policy == other.policy
    }

    /// What workers call it among themselves: sources that say the same, in whatever configuration, have one name.
    pub fn fingerprint(&self) -> String {
        let RefreshPolicy { timeout, cache_duration, cooldown, stale_if_error } = self.policy;
        let policy = [timeout, cache_duration, cooldown, stale_if_error].map(|span| span.as_millis().to_string());
        let mut texts: Vec<&str> = policy.iter().map(String::as_str).collect();
        match &self.location {
            JwksLocation::Uri(endpoint) => {
                texts.extend(["uri", &endpoint.cluster, &endpoint.authority, &endpoint.path])
            }
            JwksLocation::Discovery(Discovery { issuer, metadata, hosts }) => {
                texts.extend(["discovery", &metadata.cluster, issuer]);
                texts.extend(hosts.iter().map(String::as_str));
            }
        }
        // No text holds a line break, so no two lists are the same text.
        hex::encode(&Sha256::digest(texts.join("\n")))
    }
}
