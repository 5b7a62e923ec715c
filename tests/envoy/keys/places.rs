//! Where keys are fetched from: a URL, the issuer's metadata, over TLS, and nowhere else.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{ISSUER, bearer, fetches, vms};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    key_server::{DISCOVERY, KEYS, KeyServer},
    patience::patiently,
    tls::Authority,
    token::Recipe,
    upstream::Upstream,
};

fn token_of(issuer: &str) -> claimgate_testing::http::Message {
    let mut recipe = Recipe::default();
    recipe.claims.insert("iss".into(), json!(issuer));
    super::with(&recipe.sign(crate::now()))
}

/// One listener whose rule finds the keys by the issuer's metadata.
fn discovering(upstream: &Upstream, server: &KeyServer, more: Value) -> Bootstrap {
    let mut rule = json!({"name": "idp", "issuer": server.origin(), "jwksCluster": "idp", "presence": "REQUIRED"});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let gate = Listener::gated("gate", &json!({"jwtRules": [rule]}).to_string());
    Bootstrap::to(upstream.port()).cluster("idp", server.port()).listener(gate)
}

/// The cluster of `envoy/keys.yaml`, with another address and another certificate authority.
fn documented(server: &KeyServer, authority: &Authority) -> Value {
    let text = include_str!("../../../envoy/keys.yaml");
    let mut cluster: Value = serde_norway::from_str(text).expect("it is YAML");
    cluster["type"] = json!("STATIC");
    let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    endpoint["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": server.port()});
    let context = &mut cluster["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"];
    context["trusted_ca"] = json!({"inline_string": authority.pem()});
    cluster
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("keys: without jwks and jwksUri the issuer's metadata say where they are", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let envoy = Envoy::start_with_workers(&discovering(&upstream, &server, json!({})).json(), 4);
            assert_eq!(token_of(server.origin()).send(envoy.port("gate"))?.status, 200);
            server.wait_for(KEYS, vms(4));
            assert_eq!((server.count(DISCOVERY), server.count(KEYS)), (vms(4), vms(4)));
            Ok(())
        }),
        Trial::test("keys: metadata of another issuer are not believed", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.names_issuer("https://evil.example");
            let envoy = Envoy::start(&discovering(&upstream, &server, json!({})).json());
            assert!(patiently(|| (fetches(&envoy, "idp", "issuer_mismatch") > 0).then_some(())).is_some());
            assert_eq!(token_of(server.origin()).send(envoy.port("gate"))?.status, 503);
            assert_eq!(server.count(KEYS), 0);
            Ok(())
        }),
        Trial::test("keys: metadata lead to another host only where jwksHosts lists it", || {
            let (upstream, server, other) = (Upstream::start(), KeyServer::start(), KeyServer::start());
            server.names_jwks_uri(&other.url(KEYS));
            let host = other.origin().strip_prefix("http://").unwrap();
            let by_istio = format!("outbound|{}||127.0.0.1", other.port());
            let refused = discovering(&upstream, &server, json!({})).cluster(&by_istio, other.port());
            let envoy = Envoy::start(&refused.json());
            assert!(patiently(|| (fetches(&envoy, "idp", "host_not_allowed") > 0).then_some(())).is_some());
            assert_eq!(token_of(server.origin()).send(envoy.port("gate"))?.status, 503);
            assert_eq!(other.count(KEYS), 0);
            let listed = discovering(&upstream, &server, json!({"jwksHosts": [host]})).cluster(&by_istio, other.port());
            let envoy = Envoy::start(&listed.json());
            assert_eq!(token_of(server.origin()).send(envoy.port("gate"))?.status, 200);
            other.wait_for(KEYS, vms(1));
            assert_eq!((server.count(KEYS), other.count(KEYS)), (0, vms(1)));
            Ok(())
        }),
        Trial::test("keys: over TLS, through the cluster of envoy/keys.yaml", || {
            let (upstream, authority) = (Upstream::start(), Authority::generate());
            let server = KeyServer::start_over_tls(&authority, &["idp.example.com"]);
            for (rule, fetched) in [
                (
                    json!({"issuer": ISSUER, "jwksUri": "https://idp.example.com/keys", "presence": "REQUIRED"}),
                    [0, vms(1)],
                ),
                (json!({"issuer": ISSUER, "presence": "REQUIRED"}), [vms(1), 2 * vms(1)]),
            ] {
                let gate = Listener::gated("gate", &json!({"jwtRules": [rule]}).to_string());
                let mut bootstrap = Bootstrap::to(upstream.port()).listener(gate).json();
                let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().unwrap();
                clusters.push(documented(&server, &authority));
                let envoy = Envoy::start(&bootstrap);
                assert_eq!(bearer("p256").send(envoy.port("gate"))?.status, 200, "{}", envoy.log());
                server.wait_for(KEYS, fetched[1]);
                assert_eq!([server.count(DISCOVERY), server.count(KEYS)], fetched);
                let asked = server.fetches(KEYS).pop().unwrap().request;
                assert_eq!(asked.header("host").as_deref(), Some("idp.example.com"));
            }
            Ok(())
        }),
        Trial::test("keys: a server with another's certificate is none", || {
            let (upstream, authority) = (Upstream::start(), Authority::generate());
            let server = KeyServer::start_over_tls(&authority, &["other.example.com"]);
            let rule = json!({"name": "idp", "issuer": ISSUER, "jwksUri": "https://idp.example.com/keys", "presence": "REQUIRED"});
            let bootstrap = Bootstrap::to(upstream.port())
                .cluster_over("outbound|443||idp.example.com", server.port(), authority.upstream("idp.example.com"))
                .listener(Listener::gated("gate", &json!({"jwtRules": [rule]}).to_string()));
            let envoy = Envoy::start(&bootstrap.json());
            assert!(patiently(|| (fetches(&envoy, "idp", "connect") > 0).then_some(())).is_some(), "{}", envoy.log());
            assert_eq!(bearer("p256").send(envoy.port("gate"))?.status, 503);
            Ok(())
        }),
    ]
}
