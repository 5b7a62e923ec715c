//! A bad configuration in Envoy: no start, no update, and one log line for each problem.

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::{Envoy, Update},
    http::Message,
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("configuration: Envoy does not start on a bad one, and the log has every problem", || {
            let bad = json!({"jwtRules": [{
                "isuer": "https://idp.example.com", "algorithms": ["RS265"], "jwks": keys::jwks("@p256 @p384:use=enc:kid=old"),
            }, {"issuer": "b", "jwks": keys::jwks("@rsa:n=AQAB")}]});
            let log = Envoy::refuses(&Bootstrap::to(1).listener(Listener::gated("bad", &bad.to_string())).json());
            for line in [
                "configuration: jwtRules[0].isuer: `isuer` is not a field here; help: did you mean `issuer`?",
                "configuration: jwtRules[0].algorithms[0]: `RS265` is not an algorithm claimgate verifies; help: did you mean `RS256`?",
                "configuration: jwtRules[0].jwks.keys[1]: the key `old` is skipped: its `use` is `enc`, not `sig`",
                "configuration: jwtRules[1].jwks.keys[0]: the key `rsa` is skipped: it has 17 bits, and RSA needs 2048",
                "configuration: jwtRules[1].jwks: it has no key that can be used",
            ] {
                assert!(log.contains(line), "missing in the log: {line}\n{log}");
            }
            Ok(())
        }),
        Trial::test("configuration: Envoy rejects a bad update and keeps the old one", || {
            let upstream = Upstream::start();
            let bootstrap = |rule: serde_json::Value| {
                let configuration = json!({ "jwtRules": [rule] }).to_string();
                Bootstrap::to(upstream.port()).listener(Listener::gated("gate", &configuration)).json()
            };
            let good =
                json!({"issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED"});
            let envoy = Envoy::start_updatable(&bootstrap(good.clone()));
            let now = crate::now();
            let bearer = Message::get("/").header("authorization", format!("Bearer {}", Recipe::default().sign(now)));
            let answers = || {
                Ok::<_, std::io::Error>([
                    bearer.send(envoy.port("gate"))?.status,
                    Message::get("/").send(envoy.port("gate"))?.status,
                ])
            };
            assert_eq!(answers()?, [200, 401]);

            assert!(matches!(envoy.update(&bootstrap(json!({"issuer": "x", "jwks": "{}"}))), Update::Rejected(_)));
            assert!(envoy.log().contains("configuration: jwtRules[0].jwks: it has no list `keys`"));
            assert_eq!(answers()?, [200, 401]);

            let mut other = good;
            other["jwks"] = keys::jwks("@rsa").into();
            assert_eq!(envoy.update(&bootstrap(other)), Update::Accepted);
            assert_eq!(answers()?, [401, 401]);
            Ok(())
        }),
        // Were it refused, the proxy would go on trusting the issuer that was just removed.
        Trial::test("configuration: the last rule can be removed, and a warning says what that opens", || {
            let upstream = Upstream::start();
            let bootstrap = |configuration: serde_json::Value| {
                let listener = Listener::gated("gate", &configuration.to_string());
                Bootstrap::to(upstream.port()).listener(listener).json()
            };
            let rule =
                json!({"issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED"});
            let envoy = Envoy::start_updatable(&bootstrap(json!({ "jwtRules": [rule] })));
            assert_eq!(Message::get("/").send(envoy.port("gate"))?.status, 401);
            assert_eq!(envoy.update(&bootstrap(json!({ "jwtRules": [] }))), Update::Accepted);
            assert_eq!(Message::get("/").send(envoy.port("gate"))?.status, 200);
            assert!(
                envoy
                    .log()
                    .contains("configuration: jwtRules: there is no rule and no policy, so every request passes")
            );
            Ok(())
        }),
        // A time-out beyond the range of the host's clock used to stop the module at its first tick.
        Trial::test("configuration: a duration of more than a year is refused", || {
            let rule = json!({"issuer": "https://idp.example.com", "timeout": "18446744073709551615s"});
            let bad = json!({ "jwtRules": [rule] }).to_string();
            let log = Envoy::refuses(&Bootstrap::to(1).listener(Listener::gated("bad", &bad)).json());
            let line = "jwtRules[0].timeout: `18446744073709551615s` is too long; help: write `8760h` or less";
            assert!(log.contains(line), "{log}");
            Ok(())
        }),
    ]
}
