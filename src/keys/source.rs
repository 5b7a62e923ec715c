//! Where a remote key set comes from and on what terms it is held.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::encoding::hex;

/// The place of a source among those of a configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SourceIndex(pub usize);

/// One remote key set. Rules that say the same of it share it.
#[derive(Clone, Debug)]
pub struct Source {
    /// What logs and metrics call it: the name of the first rule that has it.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// On what terms it is held.
    pub terms: Terms,
}

/// How to get at a key set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// It is there (`jwksUri`).
    Uri(Endpoint),
    /// The issuer's metadata say where (OpenID Connect Discovery 1.0 section 4).
    Discovery(Discovery),
}

/// An issuer that says itself where its keys are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discovery {
    /// What its metadata must call it, exactly.
    pub issuer: String,
    /// Its metadata.
    pub metadata: Endpoint,
    /// Other hosts its keys may be on, in lower case (`jwksHosts`).
    pub hosts: Vec<String>,
}

/// Something to GET through a cluster of the proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// Envoy's name for the way there.
    pub cluster: String,
    /// Whether the scheme is `https`; the encryption itself is the cluster's.
    pub is_https: bool,
    /// Host and port, as in `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// The times a key set lives by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    /// How long one call may take, and how long a request waits (`timeout`).
    pub timeout: Duration,
    /// How long a set is fresh at most (`jwksCacheDuration`).
    pub cache_duration: Duration,
    /// How long after an answer unknown keys cause no other fetch (`jwksCooldown`).
    pub cooldown: Duration,
    /// How long a set is used since the last good answer (`jwksStaleIfError`, RFC 5861 section 4).
    pub stale_if_error: Duration,
}

impl Source {
    /// Whether another says the same, but for the name.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.place == other.place && self.terms == other.terms
    }

    /// What workers call it among themselves: sources that say the same, in whatever configuration, have one name.
    pub fn fingerprint(&self) -> String {
        let Terms { timeout, cache_duration, cooldown, stale_if_error } = self.terms;
        let terms = [timeout, cache_duration, cooldown, stale_if_error].map(|span| span.as_millis().to_string());
        let mut texts: Vec<&str> = terms.iter().map(String::as_str).collect();
        match &self.place {
            Place::Uri(endpoint) => texts.extend(["uri", &endpoint.cluster, &endpoint.authority, &endpoint.path]),
            Place::Discovery(Discovery { issuer, metadata, hosts }) => {
                texts.extend(["discovery", &metadata.cluster, issuer]);
                texts.extend(hosts.iter().map(String::as_str));
            }
        }
        // No text holds a line break, so no two lists are the same text.
        hex::encode(&Sha256::digest(texts.join("\n")))
    }
}

impl Endpoint {
    /// An `http` or `https` URL, without user and fragment; through this cluster, or the one that Istio makes for the host.
    pub fn parse(url: &str, cluster: Option<&str>) -> Option<Self> {
        let url: http::Uri = url.parse().ok().filter(|_| !url.contains('#'))?;
        let is_https = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = url.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None if authority.as_str() != authority.host() => return None,
            None if is_https => 443,
            None => 80,
        };
        let host = authority.host().to_ascii_lowercase();
        let is_default = port == if is_https { 443 } else { 80 };
        Some(Self {
            cluster: cluster.map_or_else(|| format!("outbound|{port}||{host}"), str::to_owned),
            is_https,
            authority: if is_default { host } else { format!("{host}:{port}") },
            path: url.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// The URL, for people.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme(), self.authority, self.path)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

impl Discovery {
    /// The place of the keys, if the metadata may send us there: to the issuer's host or a listed one, and never from
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
