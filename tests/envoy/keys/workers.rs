//! One proxy, many workers: each fetches for itself, and they agree on when.

use std::{
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::json;

use super::{ask_until, bearer, bootstrap, configuration, vms, wait_for_all};
use claimgate_testing::{
    bootstrap::Listener,
    envoy::{Envoy, Update},
    http::Connection,
    key_server::{Behaviour, KEYS, KeyServer},
    patience::patiently,
    upstream::Upstream,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("keys: every worker knows a new set within a second", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let configuration = configuration(&server, json!({"jwksCooldown": "1s"}));
            let envoy = Envoy::start_with_workers(&bootstrap(&upstream, &server, &configuration).json(), 4);
            let port = envoy.port("gate");
            ask_until(port, &bearer("p256"), 200, &[], Duration::from_secs(5));
            wait_for_all(&server, 4);
            server.serves("@p384");
            thread::sleep(Duration::from_millis(1100));
            // One worker misses the key; from then on the cooldown counts for the others too.
            assert_eq!(bearer("p384").send(port)?.status, 200);
            let learned = Instant::now();
            let old = bearer("p256");
            let mut connections: Vec<Connection> = (0..24).map(|_| Connection::open(port)).collect::<Result<_, _>>()?;
            thread::sleep(Duration::from_secs(1).saturating_sub(learned.elapsed()));
            for connection in &mut connections {
                let reply = connection.send(&old)?;
                assert_eq!(reply.status, 401, "{}", reply.text());
            }
            Ok(())
        }),
        Trial::test("keys: a later listener takes the sets there are, also while the server is down", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let configuration = configuration(&server, json!({}));
            let first = bootstrap(&upstream, &server, &configuration);
            let envoy = Envoy::start_updatable_with_workers(&first.json(), 4);
            ask_until(envoy.port("gate"), &bearer("p256"), 200, &[], Duration::from_secs(5));
            wait_for_all(&server, 4);
            server.stop();
            // The same source in another configuration: with another rule, and another name.
            let mut other = configuration.clone();
            other["jwtRules"][0]["name"] = json!("late");
            other["jwtRules"][0]["audiences"] = json!(["api://payments"]);
            let second = first.clone().listener(Listener::gated("late", &other.to_string()));
            assert_eq!(envoy.update(&second.json()), Update::Accepted);
            for _ in 0..20 {
                let reply = bearer("p256").send(envoy.port("late"))?;
                assert_eq!(reply.status, 200, "{}", reply.text());
            }
            assert_eq!(server.count(KEYS), vms(4));
            Ok(())
        }),
        Trial::test("keys: an update during an outage that raises jwksStaleIfError keeps the keys", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let times =
                |stale: &str| json!({"jwksCacheDuration": "1s", "jwksCooldown": "1s", "jwksStaleIfError": stale});
            let first = bootstrap(&upstream, &server, &configuration(&server, times("4s")));
            let envoy = Envoy::start_updatable_with_workers(&first.json(), 2);
            ask_until(envoy.port("gate"), &bearer("p256"), 200, &[], Duration::from_secs(5));
            wait_for_all(&server, 2);
            server.stop();
            ask_until(envoy.port("gate"), &bearer("p256"), 503, &[200], Duration::from_secs(15));
            let second = bootstrap(&upstream, &server, &configuration(&server, times("1h")));
            assert_eq!(envoy.update(&second.json()), Update::Accepted);
            for _ in 0..20 {
                let reply = bearer("p256").send(envoy.port("gate"))?;
                assert_eq!(reply.status, 200, "{}", reply.text());
            }
            Ok(())
        }),
        Trial::test("keys: the gauge shows the worker that is worst off", || {
            // Whichever of the two writes later.
            for others in 0..vms(1) {
                let (upstream, server) = (Upstream::start(), KeyServer::start());
                server.behave(Behaviour::GoodAfter(others));
                let bootstrap = bootstrap(&upstream, &server, &configuration(&server, json!({})));
                let envoy = Envoy::start(&bootstrap.json());
                server.wait_for(KEYS, vms(1));
                let keys = || envoy.stat("wasmcustom.claimgate.keys.source=idp");
                // Each writes twice a second.
                thread::sleep(Duration::from_millis(1200));
                for _ in 0..20 {
                    assert_eq!(keys(), 0, "{others}");
                    thread::sleep(Duration::from_millis(50));
                }
                server.behave(Behaviour::Good);
                assert!(patiently(|| (keys() == 1).then_some(())).is_some(), "{others}: {}", keys());
            }
            Ok(())
        }),
        Trial::test("keys: a slow source delays only its own requests", || {
            let (upstream, slow, quick) = (Upstream::start(), KeyServer::start(), KeyServer::start());
            slow.behave(Behaviour::Hang);
            quick.serves("@p384");
            let mut configuration = configuration(&slow, json!({"presence": "OPTIONAL"}));
            let rule = json!({
                "name": "quick", "issuer": "https://quick.example.com", "jwksUri": quick.url(KEYS), "jwksCluster": "quick",
            });
            configuration["jwtRules"].as_array_mut().unwrap().push(rule);
            let bootstrap = bootstrap(&upstream, &slow, &configuration).cluster("quick", quick.port());
            let envoy = Envoy::start(&bootstrap.json());
            quick.wait_for(KEYS, 1);
            slow.wait_for(KEYS, 1);
            let mut recipe = claimgate_testing::token::Recipe {
                key: Some("p384".into()),
                alg: Some("ES384".into()),
                ..Default::default()
            };
            recipe.claims.insert("iss".into(), json!("https://quick.example.com"));
            let message = super::with(&recipe.sign(crate::now()));
            let began = Instant::now();
            assert_eq!(message.send(envoy.port("gate"))?.status, 200);
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            Ok(())
        }),
    ]
}
