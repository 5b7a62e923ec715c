//! The connection of a request, by Envoy's attributes. Each costs a call to the host, so each is read when it is asked for.

use std::net::{IpAddr, SocketAddr};

use proxy_wasm::{hostcalls, types::Bytes};

use crate::connection::{Connection, PeerCertificate, SourceAddress};

/// The connection of the request at hand.
pub(super) struct Downstream;

/// Where Istio's waypoints keep who really called.
const ISTIO_PEER: [&str; 2] = ["filter_state", "io.istio.peer_principal"];
/// Where a `set_filter_state` filter can keep who opened the connection, which Envoy has no attribute for.
const DIRECT_PEER: [&str; 2] = ["filter_state", "claimgate.source_ip"];

impl Connection for Downstream {
    fn peer(&self) -> Option<PeerCertificate> {
        let uri = text(&["connection", "uri_san_peer_certificate"]).or_else(|| text(&ISTIO_PEER));
        let certificate = PeerCertificate { uri, ..PeerCertificate::default() };
        if certificate.identity().is_some() {
            return Some(certificate);
        }
        let dns = text(&["connection", "dns_san_peer_certificate"]);
        let subject = text(&["connection", "subject_peer_certificate"]);
        let certificate = PeerCertificate { dns, subject, ..certificate };
        (certificate != PeerCertificate::default()).then_some(certificate)
    }

    /// Envoy's `source.address` is the peer's own unless it comes from `X-Forwarded-For`; then its port is 0.
    fn source_ip(&self, believed: SourceAddress) -> Option<IpAddr> {
        let connection =
            || address(&["source", "address"]).filter(|address| address.port() != 0).map(|address| address.ip());
        match believed {
            SourceAddress::Connection => connection(),
            SourceAddress::FilterState => text(&DIRECT_PEER)?.parse().ok(),
            SourceAddress::Either => text(&DIRECT_PEER).map_or_else(connection, |direct| direct.parse().ok()),
        }
    }

    fn remote_ip(&self) -> Option<IpAddr> {
        address(&["source", "address"]).map(|address| address.ip())
    }

    fn destination_ip(&self) -> Option<IpAddr> {
        address(&["destination", "address"]).map(|address| address.ip())
    }

    fn destination_port(&self) -> Option<u16> {
        let port: [u8; 8] = attribute(&["destination", "port"])?.try_into().ok()?;
        u64::from_le_bytes(port).try_into().ok()
    }

    fn sni(&self) -> Option<String> {
        text(&["connection", "requested_server_name"])
    }
}

fn attribute(path: &[&str]) -> Option<Bytes> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// Envoy's formats write `-` where there is nothing to say.
fn text(path: &[&str]) -> Option<String> {
    attribute(path).and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !matches!(text.as_str(), "" | "-"))
}

fn address(path: &[&str]) -> Option<SocketAddr> {
    text(path)?.parse().ok()
}
