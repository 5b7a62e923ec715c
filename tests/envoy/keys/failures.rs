//! Every way in which a key server can fail: its class in log and metric, and never 401 for a valid token.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::json;

use super::{ISSUER, bearer, fetches, vms};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    key_server::{Behaviour, KEYS, KeyServer},
    patience::patiently,
    upstream::Upstream,
};

pub(crate) fn trials() -> Vec<Trial> {
    let html = b"<!doctype html><title>Sign in</title>".to_vec();
    let behaviours = [
        ("hang", Behaviour::Hang, "timeout"),
        ("hang-in-body", Behaviour::HangInBody, "timeout"),
        ("reset", Behaviour::Reset, "connect"),
        ("reset-in-body", Behaviour::ResetInBody, "connect"),
        ("status-500", Behaviour::Status(500), "status_500"),
        ("status-404", Behaviour::Status(404), "status_404"),
        ("status-503", Behaviour::Status(503), "status_503"),
        ("status-204", Behaviour::Status(204), "status_204"),
        ("large", Behaviour::Body(vec![b' '; 10 << 20]), "too_large"),
        ("html", Behaviour::Body(html), "not_json"),
        ("nothing", Behaviour::Body(Vec::new()), "not_json"),
        ("no-keys", Behaviour::Body(br#"{"keys": []}"#.to_vec()), "no_usable_key"),
    ];
    vec![
        Trial::test("keys: every failure has its class in log and metric, and the answer is 503", move || {
            let upstream = Upstream::start();
            let servers: Vec<KeyServer> = behaviours.iter().map(|_| KeyServer::start()).collect();
            let mut bootstrap = Bootstrap::to(upstream.port());
            for (server, (name, behaviour, _)) in servers.iter().zip(&behaviours) {
                server.behave(behaviour.clone());
                let rule = json!({"name": name, "issuer": ISSUER, "jwksUri": server.url(KEYS), "jwksCluster": name,
                    "timeout": "2s", "presence": "REQUIRED"});
                let listener = Listener::gated(name, &json!({"jwtRules": [rule]}).to_string());
                bootstrap = bootstrap.cluster(name, server.port()).listener(listener);
            }
            let envoy = Envoy::start(&bootstrap.json());
            for (name, _, class) in &behaviours {
                let counted = patiently(|| (fetches(&envoy, name, class) > 0).then_some(()));
                assert!(counted.is_some(), "{name}: no {class}\n{}", envoy.admin("/stats?usedonly&filter=key_fetches"));
                assert!(envoy.log().contains(&format!(" keys of {name}: {class}: ")), "{name}\n{}", envoy.log());
                let reply = bearer("p256").send(envoy.port(name))?;
                assert_eq!(reply.status, 503, "{name}: {}", reply.text());
            }
            assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
            Ok(())
        }),
        Trial::test("keys: a set with a broken key serves with the others, and the log says which is skipped", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.serves("@p256 @rsa:n=AQAB");
            let envoy =
                Envoy::start(&super::bootstrap(&upstream, &server, &super::configuration(&server, json!({}))).json());
            assert_eq!(bearer("p256").send(envoy.port("gate"))?.status, 200);
            let line = " keys of idp: the key `rsa` at index 1 is skipped: it has 17 bits, and RSA needs 2048";
            assert!(envoy.log().contains(line), "{}", envoy.log());
            let keys = || envoy.stat("wasmcustom.claimgate.keys.source=idp");
            assert!(patiently(|| (keys() == 1).then_some(())).is_some(), "{}", keys());
            // It is known, so no worker fetches it again.
            assert_eq!(bearer("rsa").send(envoy.port("gate"))?.status, 401);
            std::thread::sleep(Duration::from_millis(600));
            assert_eq!(server.count(KEYS), vms(1));
            Ok(())
        }),
        Trial::test("keys: a set of almost a mebibyte is read", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let mut set: serde_json::Value = serde_json::from_str(&claimgate_testing::keys::jwks("@p256")).unwrap();
            set["padding"] = json!("x".repeat(1_000_000));
            server.behave(Behaviour::Body(set.to_string().into_bytes()));
            let envoy =
                Envoy::start(&super::bootstrap(&upstream, &server, &super::configuration(&server, json!({}))).json());
            assert_eq!(bearer("p256").send(envoy.port("gate"))?.status, 200);
            Ok(())
        }),
        Trial::test("keys: a cluster that is missing, empty or without a way is told apart and does no harm", || {
            let upstream = Upstream::start();
            let rule = |cluster: Option<&str>| {
                let mut rule = json!({"name": cluster.unwrap_or("missing"), "issuer": ISSUER, "presence": "REQUIRED",
                    "jwksUri": "https://idp.example.com/keys"});
                rule.as_object_mut().unwrap().extend(cluster.map(|name| ("jwksCluster".to_owned(), json!(name))));
                json!({"jwtRules": [rule]}).to_string()
            };
            let mut bootstrap = Bootstrap::to(upstream.port())
                .listener(Listener::gated("missing", &rule(None)))
                .listener(Listener::gated("empty", &rule(Some("empty"))))
                .json();
            let empty = json!({"name": "empty", "type": "STATIC"});
            bootstrap["static_resources"]["clusters"].as_array_mut().unwrap().push(empty);
            let envoy = Envoy::start(&bootstrap);
            for (name, class) in [("missing", "cluster_not_found"), ("empty", "connect")] {
                let counted = patiently(|| (fetches(&envoy, name, class) > 1).then_some(()));
                assert!(counted.is_some(), "{name}: {}", envoy.log());
                assert_eq!(bearer("p256").send(envoy.port(name))?.status, 503);
            }
            let line = " keys of missing: cluster_not_found: the proxy has no such cluster: \
                        `outbound|443||idp.example.com`, for https://idp.example.com/keys; help: ";
            assert!(envoy.log().contains(line), "{}", envoy.log());
            assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
            Ok(())
        }),
    ]
}
