//! Cold starts: Envoy always starts, and no request reaches the upstream without a decision.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::json;

use super::{ask_until, bearer, bootstrap, configuration, posting, vms};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    key_server::{Behaviour, KEYS, KeyServer},
    upstream::Upstream,
};

/// The same with another signature.
fn forged(mut message: Message) -> Message {
    let (_, authorization) = message.headers.last_mut().unwrap();
    // Not the last character, which holds only some bits.
    let letter = authorization.iter_mut().nth_back(1).unwrap();
    *letter = if *letter == b'A' { b'B' } else { b'A' };
    message
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("keys: the server is down for ten seconds at the start: 503, then 200, never 401", || {
            let (upstream, server) = (Upstream::start(), KeyServer::down());
            let bootstrap = bootstrap(&upstream, &server, &configuration(&server, json!({})));
            let envoy = Envoy::start_with_workers(&bootstrap.json(), 2);
            let began = Instant::now();
            let message = posting(bearer("p256"), "down");
            while began.elapsed() < Duration::from_secs(10) {
                let reply = message.send(envoy.port("gate"))?;
                assert_eq!(reply.status, 503, "{}", reply.text());
                assert!(reply.text().starts_with("keys_unavailable: "), "{}", reply.text());
                let retry_after: u64 = reply.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=11).contains(&retry_after), "{retry_after}");
                assert_eq!(reply.header("www-authenticate"), None);
                std::thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(upstream.count("down"), 0);
            server.resume();
            ask_until(envoy.port("gate"), &message, 200, &[503], Duration::from_secs(12));
            assert_eq!(upstream.count("down"), 1);
            assert!(envoy.log().contains(" keys of idp: connect: "), "{}", envoy.log());
            assert!(envoy.log().contains(" keys of idp: 1 from http://127.0.0.1:"), "{}", envoy.log());
            Ok(())
        }),
        Trial::test("keys: who comes before the keys waits for them and is decided then, body and all", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.behave(Behaviour::Slow(Duration::from_secs(5)));
            let configuration = configuration(&server, json!({"timeout": "20s"})).to_string();
            let listeners = [
                Listener::gated("whole", &configuration),
                Listener::gated("streaming", &configuration).allowing_headers_stop_iteration(),
            ];
            let bootstrap = Bootstrap::to(upstream.port()).cluster("keys", server.port());
            let envoy =
                Envoy::start_with_workers(&listeners.into_iter().fold(bootstrap, Bootstrap::listener).json(), 2);
            let asked = ["whole", "streaming"].into_iter().flat_map(|listener| {
                let forged = posting(forged(bearer("p256")), &format!("{listener} forged"));
                let good = posting(bearer("p256"), &format!("{listener} good"));
                [(listener, good, 200), (listener, forged, 401)]
            });
            let threads = asked.map(|(listener, message, status)| {
                let port = envoy.port(listener);
                std::thread::spawn(move || {
                    let began = Instant::now();
                    let reply = message.send(port).expect("Envoy answers");
                    assert_eq!(reply.status, status, "{listener}: {}", reply.text());
                    assert!(began.elapsed() > Duration::from_millis(500), "{listener}: it did not wait");
                })
            });
            let threads: Vec<_> = threads.collect();
            assert!(threads.into_iter().all(|thread| thread.join().is_ok()), "{}", envoy.log());
            for listener in ["whole", "streaming"] {
                assert_eq!(upstream.count(&format!("{listener} good")), 1);
                assert_eq!(upstream.seen(&format!("{listener} good")).unwrap().body, b"body");
                assert_eq!(upstream.count(&format!("{listener} forged")), 0);
            }
            // Two listeners share what each of the two workers and the main thread fetched.
            assert_eq!(server.count(KEYS), vms(2));
            assert_eq!(envoy.stat("wasmcustom.claimgate.waiting_requests"), 0);
            Ok(())
        }),
        Trial::test("keys: style istio answers as Envoy's jwt_authn when keys are not available", || {
            let (upstream, server) = (Upstream::start(), KeyServer::down());
            let mut configuration = configuration(&server, json!({}));
            configuration["errors"] = json!({"style": "istio"});
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration).json());
            let reply = bearer("p256").send(envoy.port("gate"))?;
            assert_eq!((reply.status, reply.text().as_str()), (401, "Jwks remote fetch is failed"));
            assert!(reply.header("www-authenticate").unwrap().ends_with(r#", error="invalid_token""#));
            Ok(())
        }),
        Trial::test("keys: a token that is already there to be refused is not kept waiting", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.behave(Behaviour::Hang);
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration(&server, json!({}))).json());
            let began = Instant::now();
            for (message, reason) in
                [(super::with("not.a.token"), "header_encoding"), (Message::get("/"), "token_missing")]
            {
                let reply = message.send(envoy.port("gate"))?;
                assert_eq!(reply.status, 401);
                assert!(reply.text().starts_with(reason), "{}", reply.text());
            }
            assert!(began.elapsed() < Duration::from_secs(2));
            Ok(())
        }),
    ]
}
