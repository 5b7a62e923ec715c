//! What a call goes to.

use crate::encoding::printable::printable;

/// How much of a URL is logged.
const LONGEST_URL: usize = 256;

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
            path: match url.path_and_query().map_or("/", |path| path.as_str()) {
                query if query.starts_with('?') => format!("/{query}"),
                path => path.to_owned(),
            },
        })
    }

    /// The URL for a log: without its query, which may hold a secret.
    pub fn url(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        printable(&format!("{}://{}{path}", self.scheme(), self.authority), LONGEST_URL)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}
