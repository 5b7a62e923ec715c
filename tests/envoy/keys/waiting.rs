//! Requests that wait for keys: limited in number and time, and dropped when their client disconnects.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::json;

use super::{bearer, bootstrap, configuration, posting, with};
use claimgate_testing::{
    envoy::Envoy,
    key_server::{Behaviour, KEYS, KeyServer},
    patience::patiently,
    token::Recipe,
    upstream::Upstream,
};

const WAITING: &str = "wasmcustom.claimgate.waiting_requests";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("keys: over the bound of waiting requests the answer is 503 at once, and counted", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.behave(Behaviour::Hang);
            let mut configuration = configuration(&server, json!({"timeout": "8s"}));
            configuration["maxWaitingRequests"] = json!(2);
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration).json());
            server.wait_for(KEYS, 1);
            let port = envoy.port("gate");
            let ask = |number: usize| {
                thread::spawn(move || {
                    let began = Instant::now();
                    let reply =
                        posting(bearer("p256"), &format!("waiting {number}")).send(port).expect("Envoy answers");
                    (reply, began.elapsed())
                })
            };
            let asked: Vec<_> = (0..6).map(ask).collect();
            assert!(patiently(|| (envoy.stat(WAITING) == 2).then_some(())).is_some());
            let (mut turned_away, mut timed_out) = (0, 0);
            for asked in asked {
                let (reply, took) = asked.join().unwrap();
                assert_eq!(reply.status, 503, "{}", reply.text());
                assert!(reply.header("retry-after").is_some());
                match reply.text().split(':').next() {
                    Some("too_many_waiting") => turned_away += 1,
                    Some("keys_unavailable") => {
                        timed_out += 1;
                        assert!(took > Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!((turned_away, timed_out), (4, 2));
            assert_eq!(envoy.stat("wasmcustom.claimgate.too_many_waiting"), 4);
            let refused = |reason: &str| {
                let stat = format!("claimgate.decisions.outcome=denied.provider=idp.reason={reason}");
                let told = format!(": denied: reason={reason} provider=idp token=claimed ");
                (envoy.stat(&format!("wasmcustom.{stat}")), envoy.log().matches(&told).count())
            };
            assert_eq!(refused("too_many_waiting"), (4, 4), "{}", envoy.log());
            assert_eq!(refused("keys_unavailable"), (2, 2), "{}", envoy.log());
            let stats = envoy.admin("/stats?filter=outcome=denied");
            assert_eq!(stats.lines().count(), 2, "{stats}");
            assert_eq!(envoy.stat(WAITING), 0);
            assert!((0..6).all(|number| upstream.count(&format!("waiting {number}")) == 0));
            Ok(())
        }),
        Trial::test("keys: a source that hangs takes no room from another", || {
            let (upstream, hanging, server) = (Upstream::start(), KeyServer::start(), KeyServer::start());
            hanging.behave(Behaviour::Hang);
            server.behave(Behaviour::Slow(Duration::from_secs(2)));
            let mut configuration = configuration(&server, json!({"timeout": "20s"}));
            configuration["maxWaitingRequests"] = json!(2);
            let other = json!({
                "name": "other", "issuer": "https://other.example.com", "jwksUri": hanging.url(KEYS),
                "jwksCluster": "hanging", "timeout": "20s",
            });
            configuration["jwtRules"].as_array_mut().unwrap().push(other);
            let bootstrap = bootstrap(&upstream, &server, &configuration).cluster("hanging", hanging.port());
            let envoy = Envoy::start(&bootstrap.json());
            hanging.wait_for(KEYS, 1);
            let port = envoy.port("gate");
            let claims = json!({"iss": "https://other.example.com"});
            let made_up = Recipe { claims: serde_json::from_value(claims).unwrap(), ..Recipe::default() };
            let made_up = with(&made_up.sign(crate::now()));
            for _ in 0..4 {
                let message = made_up.clone();
                thread::spawn(move || message.send(port));
            }
            let full = "wasmcustom.claimgate.too_many_waiting";
            assert!(patiently(|| (envoy.stat(full) == 2).then_some(())).is_some());
            let asked: Vec<_> = (0..2).map(|_| thread::spawn(move || bearer("p256").send(port))).collect();
            for asked in asked {
                assert_eq!(asked.join().unwrap()?.status, 200, "{}", envoy.log());
            }
            assert_eq!(envoy.stat(full), 2);
            Ok(())
        }),
        Trial::test("keys: a client that goes away no longer waits", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.behave(Behaviour::Slow(Duration::from_secs(5)));
            let configuration = configuration(&server, json!({"timeout": "20s"}));
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration).json());
            server.wait_for(KEYS, 1);
            let mut stream = TcpStream::connect(("127.0.0.1", envoy.port("gate")))?;
            let message = bearer("p256");
            let (_, token) = &message.headers[1];
            stream.write_all(b"POST / HTTP/1.1\r\nhost: test\r\nx-case: gone\r\nauthorization: ")?;
            stream.write_all(token)?;
            stream.write_all(b"\r\ncontent-length: 4\r\n\r\nbody")?;
            assert!(patiently(|| (envoy.stat(WAITING) == 1).then_some(())).is_some());
            drop(stream);
            assert!(patiently(|| (envoy.stat(WAITING) == 0).then_some(())).is_some());
            assert_eq!(message.send(envoy.port("gate"))?.status, 200);
            assert_eq!(upstream.count("gone"), 0);
            assert_eq!(envoy.stat("wasm.envoy.wasm.runtime.v8.crashed"), 0);
            Ok(())
        }),
        Trial::test("keys: a fetch that brings nothing wakes who waits, long before their time is over", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.behave(Behaviour::Hang);
            let envoy =
                Envoy::start(&bootstrap(&upstream, &server, &configuration(&server, json!({"timeout": "20s"}))).json());
            server.wait_for(KEYS, 1);
            let port = envoy.port("gate");
            let asked = thread::spawn(move || bearer("p256").send(port).expect("Envoy answers").status);
            assert!(patiently(|| (envoy.stat(WAITING) == 1).then_some(())).is_some());
            let began = Instant::now();
            server.stop();
            assert_eq!(asked.join().unwrap(), 503);
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            Ok(())
        }),
    ]
}
