//! Another plugin in the same proxy, with the same `vm_id`, that writes the shared record as it likes.

use std::{
    thread,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use claimgate::config::Config;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{ask_until, bearer, configuration, posting, vms};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    key_server::{KEYS, KeyServer},
    keys,
    upstream::Upstream,
};

/// A filter that writes this value under this name, in the VM that claimgate's data are in.
fn hostile(name: &str, value: &str) -> Value {
    let module = wat::parse_str(include_str!("hostile.wat")).expect("it is a module");
    json!({ "name": "hostile", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "hostile",
            "root_id": "hostile",
            "vm_config": {
                "vm_id": "claimgate",
                "runtime": "envoy.wasm.runtime.v8",
                // Each has a VM of its own, for it has one configuration.
                "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": value },
                "code": { "local": { "inline_bytes": BASE64_STANDARD.encode(module) } },
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": format!("{name}\n{value}"),
            },
        },
    }})
}

pub(crate) fn trials() -> Vec<Trial> {
    // In microseconds, and far ahead.
    let later = "4102444800000000";
    let of_nobody = "0a".repeat(32);
    let now = u64::from(u32::MAX).min(crate::now());
    let values = [
        ("garbage", "\u{1}{{{".to_owned()),
        ("keys", format!("{{}}\n{}", keys::jwks("@p256 @p384"))),
        ("another-set", format!("7 0 {of_nobody} {now}000000 resting {later} {later}")),
        ("always-due", "0 0 - resting 0 0".to_owned()),
        ("always-fetching", format!("3 9 {of_nobody} {now}000000 fetching {}000000", now + 30)),
    ];
    vec![Trial::test("keys: another plugin that writes the shared record lets nobody in and takes no key", move || {
        let upstream = Upstream::start();
        let servers: Vec<KeyServer> = values.iter().map(|_| KeyServer::start()).collect();
        let mut bootstrap = Bootstrap::to(upstream.port());
        for (server, (name, value)) in servers.iter().zip(&values) {
            let mut configuration = configuration(server, json!({"jwksCacheDuration": "2s", "jwksCooldown": "1s"}));
            configuration["jwtRules"][0]["jwksCluster"] = json!(name);
            let (parsed, _) = Config::parse(configuration.to_string().as_bytes()).expect("a good configuration");
            let other = hostile(&parsed.sources[0].record_name(), value);
            bootstrap = bootstrap
                .cluster(name, server.port())
                .listener(Listener::gated(name, &configuration.to_string()))
                .listener(Listener::filtered(&format!("{name}-hostile"), other));
        }
        let began = Instant::now();
        let envoy = Envoy::start_with_workers(&bootstrap.json(), 2);
        for (name, _) in &values {
            ask_until(envoy.port(name), &bearer("p256"), 200, &[503], Duration::from_secs(5));
        }
        while began.elapsed() < Duration::from_secs(8) {
            for (name, _) in &values {
                let port = envoy.port(name);
                let reply = bearer("p256").send(port)?;
                assert_eq!(reply.status, 200, "{name}: {}", reply.text());
                let reply = posting(bearer("p384"), "forged").send(port)?;
                assert!([401, 503].contains(&reply.status), "{name}: {}", reply.status);
            }
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(upstream.count("forged"), 0);
        for (server, (name, _)) in servers.iter().zip(&values) {
            // Twice a cooldown and worker at most, and not never.
            let most = 2 * vms(2) * (usize::try_from(began.elapsed().as_secs()).unwrap() + 2);
            let fetched = server.count(KEYS);
            println!("{name}: {fetched} fetches in {:?}", began.elapsed());
            assert!((vms(2) + 1..=most).contains(&fetched), "{name}: {fetched} fetches");
            server.serves("@p384");
            ask_until(envoy.port(name), &bearer("p384"), 200, &[401, 503], Duration::from_secs(15));
        }
        assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
        Ok(())
    })]
}
