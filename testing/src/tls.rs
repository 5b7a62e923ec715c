//! TLS: a certificate authority for one test run, Envoy's two sides of a connection in its words, the others in rustls.

use std::{collections::BTreeSet, net::TcpStream, sync::Arc};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
    crypto::ring,
    pki_types::{PrivateKeyDer, ServerName},
};
use serde_json::{Value, json};

/// The name of the server for clients that ask for none.
const NAMELESS: &str = "nameless.test";

/// The authority that both ends trust; its key never leaves the test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A client's end of a connection, before it is one.
#[derive(Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

/// A URI as a name in a certificate.
pub fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().expect("an ASCII URI"))
}

/// A host as a name in a certificate.
pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("an ASCII name"))
}

// === impl Authority ===

impl Authority {
    pub fn generate() -> Authority {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate().expect("a key");
        Authority { issuer: CertifiedIssuer::self_signed(parameters, key).expect("a certificate") }
    }

    /// Envoy's transport socket of a server with these names, which asks clients for a certificate and insists.
    pub fn downstream(&self, names: &BTreeSet<&str>) -> Value {
        let names = names.iter().copied().chain([NAMELESS]).map(str::to_owned).collect::<Vec<_>>();
        let parameters = CertificateParams::new(names).expect("names of hosts");
        let (certificate, key) = self.sign(parameters, ExtendedKeyUsagePurpose::ServerAuth);
        json!({ "name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": true,
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": { "inline_string": certificate.pem() },
                    "private_key": { "inline_string": key.serialize_pem() },
                }],
                "validation_context": { "trusted_ca": { "inline_string": self.issuer.pem() } },
            },
        }})
    }

    /// Envoy's transport socket towards a server of this name, as Istio makes it of a `DestinationRule` with TLS `SIMPLE`.
    pub fn upstream(&self, name: &str) -> Value {
        json!({ "name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": name,
            "common_tls_context": { "validation_context": {
                "trusted_ca": { "inline_string": self.issuer.pem() },
                "match_typed_subject_alt_names": [{ "san_type": "DNS", "matcher": { "exact": name } }],
            }},
        }})
    }

    /// A server with these names that asks clients for nothing.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let parameters = CertificateParams::new(names).expect("names of hosts");
        let (certificate, key) = self.sign(parameters, ExtendedKeyUsagePurpose::ServerAuth);
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("the key of the certificate");
        Arc::new(config)
    }

    /// Its certificate, for whoever trusts it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A client whose certificate has these names, and that asks for a server name, or none.
    pub fn client(&self, names: Vec<SanType>, sni: Option<&str>) -> Client {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names;
        let (certificate, key) = self.sign(parameters, ExtendedKeyUsagePurpose::ClientAuth);
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("our own root");
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS")
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.der().clone()], key)
            .expect("the key of the certificate");
        config.enable_sni = sni.is_some();
        let server = ServerName::try_from(sni.unwrap_or(NAMELESS).to_owned()).expect("the name of a host");
        Client { config: Arc::new(config), server }
    }

    fn sign(&self, mut parameters: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        parameters.extended_key_usages.push(purpose);
        // Whose name is the authority's passes for self-signed.
        parameters.distinguished_name.push(DnType::CommonName, "end of a connection");
        (parameters.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }
}

// === impl Client ===

impl Client {
    /// The handshake happens with the first byte.
    pub fn over(&self, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.server.clone()).expect("a good config");
        StreamOwned::new(connection, stream)
    }
}
