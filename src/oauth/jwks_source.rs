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

    /// What decides which keys are believed, and nothing else: how often to ask, and for how long an answer is good, is not
    /// in it.
    pub fn identity(&self) -> String {
        let texts = match &self.location {
            JwksLocation::Uri(Endpoint { cluster, authority, path, .. }) => {
                vec!["uri", cluster, self.scheme(), authority, path]
            }
            JwksLocation::Discovery(Discovery { issuer, metadata, hosts }) => {
                let hosts = hosts.iter().map(String::as_str);
                ["discovery", &metadata.cluster, self.scheme(), issuer].into_iter().chain(hosts).collect()
            }
        };
        // No text holds a line break, so no two lists are the same text.
        hex::encode(&Sha256::digest(texts.join("\n")))
    }

    /// The name of the record that the workers share. The number is that of the record's form.
    pub fn record_name(&self) -> String {
        format!("claimgate.keys.2.{}", self.identity())
    }

    fn scheme(&self) -> &'static str {
        match &self.location {
            JwksLocation::Uri(endpoint) => endpoint.scheme(),
            JwksLocation::Discovery(discovery) => discovery.metadata.scheme(),
        }
    }
}
