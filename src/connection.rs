//! What a rule may ask about the connection a request came over. Read from the proxy only if a rule asks.

use std::net::IpAddr;

/// The connection as the proxy knows it; `None` is what it does not know.
pub trait Connection {
    /// The URI SAN of the certificate the peer proved, such as `spiffe://cluster.local/ns/default/sa/sleep`.
    fn peer_uri(&self) -> Option<String>;
    /// Who opened the connection.
    fn source_ip(&self) -> Option<IpAddr>;
    /// Who sent the request, by `X-Forwarded-For` or the PROXY protocol.
    fn remote_ip(&self) -> Option<IpAddr>;
    /// Where the connection was opened to.
    fn destination_ip(&self) -> Option<IpAddr>;
    /// The port it was opened to.
    fn destination_port(&self) -> Option<u16>;
    /// The server name the client asked for in TLS.
    fn sni(&self) -> Option<String>;
}

/// A peer's SPIFFE identity, taken apart as Istio writes it: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerIdentity<'a>(&'a str);

impl<'a> PeerIdentity<'a> {
    /// The identity in a URI SAN; `None` if it is no SPIFFE ID.
    pub fn of(uri: &'a str) -> Option<Self> {
        uri.strip_prefix("spiffe://").map(Self)
    }

    /// Everything but the scheme.
    pub fn principal(self) -> &'a str {
        self.0
    }

    /// The part before the first slash.
    pub fn trust_domain(self) -> &'a str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The segment after `ns`, if another follows it.
    pub fn namespace(self) -> Option<&'a str> {
        let (_, rest) = self.0.split_once("/ns/")?;
        rest.split_once('/').map(|(namespace, _)| namespace)
    }

    /// The segment after `sa`, behind the namespace.
    pub fn service_account(self) -> Option<&'a str> {
        let (_, rest) = self.0.split_once("/ns/")?;
        let (_, rest) = rest.split_once('/')?;
        let account = rest.strip_prefix("sa/").or_else(|| rest.split_once("/sa/").map(|(_, account)| account))?;
        account.split('/').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spiffe_id_has_its_parts() {
        let peer = PeerIdentity::of("spiffe://cluster.local/ns/default/sa/sleep").unwrap();
        assert_eq!(peer.principal(), "cluster.local/ns/default/sa/sleep");
        assert_eq!(peer.trust_domain(), "cluster.local");
        assert_eq!((peer.namespace(), peer.service_account()), (Some("default"), Some("sleep")));
        let other = PeerIdentity::of("spiffe://example.org/workload").unwrap();
        assert_eq!((other.namespace(), other.service_account()), (None, None));
        assert_eq!(PeerIdentity::of("https://example.org/ns/a/sa/b"), None);
    }
}
