//! Keys that rotate, and keys that cannot be refreshed, under load.

use std::{
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::json;

use super::{ask_until, bearer, bearer_of_unknown_key, bootstrap, configuration, fetches, vms, wait_for_all};
use claimgate_testing::{
    envoy::Envoy,
    http::Reply,
    key_server::{KEYS, KeyServer},
    load::Load,
    upstream::Upstream,
};

fn passes(reply: &Reply) -> bool {
    reply.status == 200
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("keys: a rotation under load fails no token of either key and costs one fetch a worker", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let bootstrap = bootstrap(&upstream, &server, &configuration(&server, json!({"jwksCooldown": "1s"})));
            let envoy = Envoy::start_with_workers(&bootstrap.json(), 4);
            let port = envoy.port("gate");
            let load = Load::on(port).ask("p256", bearer("p256"), passes).clients(8).per_second(400).start();
            thread::sleep(Duration::from_millis(1500));
            let mut fetched = server.count(KEYS);
            assert_eq!(fetched, vms(4), "the first set is fetched once by every worker");
            let mut keys = "@p256".to_owned();
            for key in ["p384", "ed25519", "rsa"] {
                keys.push_str(&format!(" @{key}"));
                server.serves(&keys);
                load.add(key, bearer(key), passes);
                thread::sleep(Duration::from_millis(2500));
                let count = server.count(KEYS);
                // One more is tolerated where workers race within the same millisecond.
                assert!((1..=vms(4) + 1).contains(&(count - fetched)), "{} fetches for one rotation", count - fetched);
                fetched = count;
            }
            let tally = load.stop();
            assert_eq!(tally.failed(), 0, "{:?}\n{}", tally.complaints(), envoy.log());
            for key in ["p256", "p384", "ed25519", "rsa"] {
                println!("rotation, {key}: {:?}, {}", tally.statuses(key), tally.latency(key).unwrap());
                assert!(tally.statuses(key)[&200] > 50, "{key}");
            }
            Ok(())
        }),
        Trial::test("keys: a key that leaves the set takes the tokens it verified with it, on every worker", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.serves("@p256 @p384");
            let configuration = configuration(&server, json!({"jwksCooldown": "1s"}));
            let envoy = Envoy::start_with_workers(&bootstrap(&upstream, &server, &configuration).json(), 4);
            let port = envoy.port("gate");
            let (old, kept) = (bearer("p256"), bearer("p384"));
            // Often enough that every worker has verified it.
            for _ in 0..40 {
                assert_eq!([old.send(port)?.status, kept.send(port)?.status], [200, 200]);
            }
            server.serves("@p384 @ed25519");
            thread::sleep(Duration::from_millis(1100));
            assert_eq!(bearer("ed25519").send(port)?.status, 200);
            thread::sleep(Duration::from_secs(1));
            for _ in 0..40 {
                let reply = old.send(port)?;
                // The first request causes one more fetch, in case the key is back.
                assert_eq!(reply.status, 401, "{}", reply.text());
                assert!(reply.text().starts_with("key_unknown"), "{}", reply.text());
                assert_eq!(kept.send(port)?.status, 200);
            }
            Ok(())
        }),
        Trial::test("keys: an outage of ten times the freshness fails nothing, and the return is noticed", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            // 1 s stands for the usual 5 min, so 10 s stand for 50 min.
            let rule = json!({"jwksCacheDuration": "1s", "jwksCooldown": "1s"});
            let envoy =
                Envoy::start_with_workers(&bootstrap(&upstream, &server, &configuration(&server, rule)).json(), 2);
            let port = envoy.port("gate");
            ask_until(port, &bearer("p256"), 200, &[], Duration::from_secs(5));
            wait_for_all(&server, 2);
            let load = Load::on(port).ask("stale", bearer("p256"), passes).clients(4).per_second(200).start();
            server.stop();
            thread::sleep(Duration::from_secs(10));
            let failed = fetches(&envoy, "idp", "connect");
            // From the sixth second on every worker asks for itself.
            assert!((2..=20).contains(&failed), "{failed} tries in 10 s");
            assert!(envoy.stat("wasmcustom.claimgate.keys_age_seconds.source=idp") >= 8);
            // A token signed with a newer key gets 503: it is neither valid nor invalid.
            let reply = bearer("p384").send(port)?;
            assert_eq!(reply.status, 503, "{}", reply.text());
            server.serves("@p256 @p384");
            server.resume();
            ask_until(port, &bearer("p384"), 200, &[503], Duration::from_secs(15));
            let tally = load.stop();
            assert_eq!(tally.failed(), 0, "{:?}", tally.complaints());
            assert!(tally.statuses("stale")[&200] > 1000, "{:?}", tally.statuses("stale"));
            Ok(())
        }),
        Trial::test("keys: beyond jwksStaleIfError the old keys are no longer believed", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let rule = json!({"jwksCacheDuration": "1s", "jwksCooldown": "1s", "jwksStaleIfError": "4s"});
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration(&server, rule)).json());
            let port = envoy.port("gate");
            ask_until(port, &bearer("p256"), 200, &[], Duration::from_secs(5));
            wait_for_all(&server, 1);
            server.stop();
            let began = Instant::now();
            let replies = ask_until(port, &bearer("p256"), 503, &[200], Duration::from_secs(10));
            assert!(began.elapsed() > Duration::from_millis(2500), "after {:?}", began.elapsed());
            assert!(replies.last().unwrap().text().starts_with("keys_unavailable"));
            server.resume();
            ask_until(port, &bearer("p256"), 200, &[503], Duration::from_secs(12));
            Ok(())
        }),
        Trial::test("keys: a flood of unknown keys causes a fetch a cooldown and harms no good token", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let configuration = configuration(&server, json!({"jwksCooldown": "2s"}));
            let envoy = Envoy::start_with_workers(&bootstrap(&upstream, &server, &configuration).json(), 4);
            let port = envoy.port("gate");
            ask_until(port, &bearer("p256"), 200, &[], Duration::from_secs(5));
            let quiet = Load::on(port).ask("good", bearer("p256"), passes).clients(2).per_second(200).start();
            thread::sleep(Duration::from_secs(2));
            let quiet = quiet.stop();
            let (began, before) = (Instant::now(), server.count(KEYS));
            let flood = (0..200).fold(Load::on(port).clients(4).per_second(800), |load, kid| {
                load.ask("flood", bearer_of_unknown_key(kid), |reply| reply.status == 401)
            });
            let flood = flood.start();
            let good = Load::on(port).ask("good", bearer("p256"), passes).clients(2).per_second(200).start();
            thread::sleep(Duration::from_secs(7));
            let (good, flood) = (good.stop(), flood.stop());
            let cooldowns = usize::try_from(began.elapsed().as_secs() / 2).unwrap();
            let fetched = server.count(KEYS) - before;
            assert!(fetched >= 2 && fetched <= cooldowns + 2, "{fetched} fetches in {cooldowns} cooldowns");
            assert_eq!(flood.failed(), 0, "{:?}", flood.complaints());
            assert_eq!(good.failed(), 0, "{:?}", good.complaints());
            println!("flood of {}: good tokens {}", flood.answered(), good.latency("good").unwrap());
            println!("no flood: good tokens {}", quiet.latency("good").unwrap());
            Ok(())
        }),
        Trial::test("keys: a bad signature causes no fetch", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            let configuration = configuration(&server, json!({"jwksCooldown": "1s"}));
            let envoy = Envoy::start(&bootstrap(&upstream, &server, &configuration).json());
            let port = envoy.port("gate");
            ask_until(port, &bearer("p256"), 200, &[], Duration::from_secs(5));
            thread::sleep(Duration::from_millis(1200));
            // The `kid` of a known key, the signature of another key.
            let mut recipe = claimgate_testing::token::Recipe { key: Some("p256b".into()), ..Default::default() };
            recipe.header.insert("kid".into(), "p256".into());
            let forged = super::with(&recipe.sign(crate::now()));
            for _ in 0..50 {
                let reply = forged.send(port)?;
                assert_eq!(reply.status, 401);
                assert!(reply.text().starts_with("signature_invalid"), "{}", reply.text());
            }
            thread::sleep(Duration::from_millis(600));
            assert_eq!(server.count(KEYS), vms(1));
            Ok(())
        }),
        Trial::test("keys: what has not changed is asked for conditionally, as soon as the issuer says", || {
            let (upstream, server) = (Upstream::start(), KeyServer::start());
            server.says("etag", "\"1\"");
            server.says("cache-control", "public, max-age=1");
            let configuration = configuration(&server, json!({"jwksCooldown": "1s"}));
            let envoy = Envoy::start_with_workers(&bootstrap(&upstream, &server, &configuration).json(), 2);
            server.wait_for(KEYS, vms(2) + 3);
            assert_eq!(server.count_of(KEYS, 200), vms(2));
            assert!(server.count_of(KEYS, 304) >= 3 - 1);
            assert_eq!(bearer("p256").send(envoy.port("gate"))?.status, 200);
            // Another set has another ETag.
            server.says("etag", "\"2\"");
            server.serves("@p384");
            ask_until(envoy.port("gate"), &bearer("p384"), 200, &[401], Duration::from_secs(5));
            Ok(())
        }),
    ]
}
