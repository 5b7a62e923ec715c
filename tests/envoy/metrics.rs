//! Envoy's stats: what is counted, how Prometheus shows it, and that traffic cannot create stats.

use std::collections::BTreeSet;

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::{Envoy, Update},
    http::Message,
    keys,
    patience::patiently,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

const HITS: &str = "wasmcustom.claimgate.token_cache_hits";
const MISSES: &str = "wasmcustom.claimgate.token_cache_misses";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("metrics: decisions, dry runs and dropped headers are counted, with labels in Prometheus", || {
            let upstream = Upstream::start();
            let gate = Listener::gated("gate", &configuration().to_string());
            let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).labelling_stats().json());
            let ask =
                |path: &str, claims: Value| bearer(path, claims).send(envoy.port("gate")).map(|reply| reply.status);
            assert_eq!(Message::get("/").send(envoy.port("gate"))?.status, 200);
            for _ in 0..2 {
                assert_eq!(ask("/", json!({}))?, 200);
            }
            for _ in 0..3 {
                let bad = Message::get("/").header("authorization", "Bearer not.a.token");
                assert_eq!(bad.send(envoy.port("gate"))?.status, 401);
            }
            assert_eq!(ask("/", json!({"name": "a\nb"}))?, 200);
            assert_eq!(ask("/closed", json!({}))?, 403);
            assert_eq!(ask("/maybe", json!({}))?, 200);
            assert!(patiently(|| (envoy.stat(HITS) == 3 && envoy.stat(MISSES) == 2).then_some(())).is_some());
            let lines = |path: &str| -> BTreeSet<String> {
                let stats = envoy.admin(path);
                let lines = stats.lines().filter(|line| line.contains("claimgate") && !line.starts_with('#'));
                lines.map(str::to_owned).collect()
            };
            let stats = [
                "decisions.outcome=allowed.provider=none: 1",
                "decisions.outcome=allowed.provider=okta: 4",
                "decisions.outcome=denied.provider=okta.reason=policy_denied.rule=ns[foo]-policy[a_b]-rule[0]: 1",
                "decisions.outcome=denied.provider=none.reason=header_encoding: 3",
                "dry_run_would_deny.rule=ns[foo]-policy[maybe]-rule[0]: 1",
                "headers_dropped.provider=okta.header=x-name: 1",
                "host_crypto_algorithms: 6",
                "token_cache_hits: 3",
                "token_cache_misses: 2",
                "too_many_waiting: 0",
                "waiting_requests: 0",
            ];
            let stats = stats.iter().map(|line| format!("wasmcustom.claimgate.{line}")).collect();
            assert_eq!(lines("/stats?filter=wasmcustom"), stats);
            // Envoy removes the prefix `wasmcustom`, and adds no prefix `envoy`.
            let shown = [
                r#"decisions{outcome="allowed",provider="none"} 1"#,
                r#"decisions{outcome="allowed",provider="okta"} 4"#,
                r#"decisions{outcome="denied",provider="okta",reason="policy_denied",rule="ns[foo]-policy[a_b]-rule[0]"} 1"#,
                r#"decisions{outcome="denied",provider="none",reason="header_encoding"} 3"#,
                r#"dry_run_would_deny{rule="ns[foo]-policy[maybe]-rule[0]"} 1"#,
                r#"headers_dropped{provider="okta",header="x-name"} 1"#,
                "host_crypto_algorithms{} 6",
                "token_cache_hits{} 3",
                "token_cache_misses{} 2",
                "too_many_waiting{} 0",
                "waiting_requests{} 0",
            ];
            let shown: BTreeSet<String> = shown.iter().map(|line| format!("claimgate_{line}")).collect();
            assert_eq!(lines("/stats/prometheus?filter=wasmcustom"), shown);
            Ok(())
        }),
        Trial::test("metrics: a flood of odd requests adds no stat", || {
            let upstream = Upstream::start();
            let gate = Listener::gated("gate", &configuration().to_string());
            let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).json());
            let mut connection = claimgate_testing::http::Connection::open(envoy.port("gate"))?;
            let names = || -> BTreeSet<String> {
                let stats = envoy.admin("/stats?filter=wasmcustom");
                stats.lines().filter_map(|line| Some(line.rsplit_once(": ")?.0.to_owned())).collect()
            };
            let mut flood = |number: usize| -> Result<(), std::io::Error> {
                let odd = format!("odd-{number}.rule=x: {number}");
                let mut recipes = vec![Recipe::default(); 4];
                recipes[0].header.insert("kid".into(), json!(odd));
                recipes[1].claims.insert("iss".into(), json!(odd));
                recipes[2].claims.insert("sub".into(), json!(odd));
                recipes[3].header.insert("alg".into(), json!(odd));
                for recipe in recipes {
                    let path = format!("/closed/{number}?{number}");
                    let message =
                        Message::get(&path).header("authorization", format!("Bearer {}", recipe.sign(crate::now())));
                    connection.send(&message.header("x-name", &odd))?;
                }
                let message = Message::get(&format!("/maybe/{number}")).header("x-odd", &odd);
                connection.send(&message.header("authorization", format!("Bearer {odd}")))?;
                Ok(())
            };
            flood(0)?;
            let before = names();
            assert!(before.len() > 8, "{before:?}");
            for number in 1..100 {
                flood(number)?;
            }
            assert_eq!(names(), before);
            Ok(())
        }),
        Trial::test("metrics: nothing counted is lost when the configuration changes", || {
            let upstream = Upstream::start();
            let bootstrap = |seconds: u32| {
                let mut configuration = configuration();
                configuration["jwtRules"][0]["clockSkew"] = json!(format!("{seconds}s"));
                Bootstrap::to(upstream.port()).listener(Listener::gated("gate", &configuration.to_string())).json()
            };
            let envoy = Envoy::start_updatable(&bootstrap(1));
            let message = bearer("/", json!({}));
            for seconds in 2..5 {
                for _ in 0..5 {
                    assert_eq!(message.send(envoy.port("gate"))?.status, 200);
                }
                assert_eq!(envoy.update(&bootstrap(seconds)), Update::Accepted);
            }
            let counted = patiently(|| (envoy.stat(HITS) == 12 && envoy.stat(MISSES) == 3).then_some(()));
            assert!(counted.is_some(), "{}", envoy.admin("/stats?filter=token_cache"));
            assert_eq!(envoy.stat("wasmcustom.claimgate.decisions.outcome=allowed.provider=okta"), 15);
            Ok(())
        }),
    ]
}

fn configuration() -> Value {
    let policy = |name: &str, dry: bool, path: &str| {
        let rules = json!([{"to": [{"operation": {"paths": [path]}}]}]);
        json!({"name": name, "namespace": "foo", "action": "DENY", "dryRun": dry, "rules": rules})
    };
    json!({
        "jwtRules": [{
            "name": "okta", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"),
            "outputClaimToHeaders": [{"header": "x-name", "claim": "name"}],
        }],
        "authorizationPolicies": [policy("a.b", false, "/closed*"), policy("maybe", true, "/maybe*")],
    })
}

fn bearer(path: &str, claims: Value) -> Message {
    let recipe: Recipe = serde_json::from_value(json!({"claims": claims})).unwrap();
    Message::get(path).header("authorization", format!("Bearer {}", recipe.sign(crate::now())))
}
