//! What a rule may ask about the connection a request came over. Read from the proxy only if a rule asks.

use std::net::IpAddr;

/// The connection as the proxy knows it; `None` is what it does not know.
pub trait Connection {
    /// The certificate the peer proved; none if it showed none.
    fn peer(&self) -> Option<PeerCertificate>;
    /// Who opened the connection, by the source that is believed.
    fn source_ip(&self, believed: SourceAddress) -> Option<IpAddr>;
    /// Who sent the request, by `X-Forwarded-For` or the PROXY protocol.
    fn remote_ip(&self) -> Option<IpAddr>;
    /// Where the connection was opened to.
    fn destination_ip(&self) -> Option<IpAddr>;
    /// The port it was opened to.
    fn destination_port(&self) -> Option<u16>;
    /// The server name the client asked for in TLS.
    fn sni(&self) -> Option<String>;
}

/// Which source says who opened a connection. Behind the PROXY protocol the connection says what stands in its header.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SourceAddress {
    /// The filter state if there is one, else the connection.
    #[default]
    Either,
    /// The connection alone.
    Connection,
    /// The filter state `claimgate.source_ip` alone.
    FilterState,
}

/// The names in a peer's certificate, the first of each kind. Envoy compares them in this order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PeerCertificate {
    /// A URI SAN, such as `spiffe://cluster.local/ns/default/sa/sleep`.
    pub uri: Option<String>,
    /// A DNS SAN.
    pub dns: Option<String>,
    pub subject: Option<String>,
}

impl PeerCertificate {
    /// A certificate whose URI SAN this is.
    pub fn of_uri(uri: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), ..Self::default() }
    }

    /// Every name, in Envoy's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.uri, &self.dns, &self.subject].into_iter().filter_map(Option::as_deref)
    }

    /// The SPIFFE identity, if that is what the certificate is for (X.509-SVID has one URI SAN).
    pub fn identity(&self) -> Option<PeerIdentity<'_>> {
        self.uri.as_deref().and_then(PeerIdentity::of)
    }

    /// Whether it may have a SPIFFE ID that nobody sees: another URI comes first.
    pub fn may_hide_identity(&self) -> bool {
        self.uri.is_some() && self.identity().is_none()
    }
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
    fn a_uri_in_front_hides_the_identity() {
        let spiffe = PeerCertificate::of_uri("spiffe://cluster.local/ns/default/sa/sleep");
        assert!(spiffe.identity().is_some() && !spiffe.may_hide_identity());
        assert!(PeerCertificate::of_uri("https://example.org").may_hide_identity());
        let other = PeerCertificate { dns: Some("a.example".into()), subject: Some("CN=a".into()), uri: None };
        assert!(!other.may_hide_identity());
        assert_eq!(other.names().collect::<Vec<_>>(), ["a.example", "CN=a"]);
    }

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
