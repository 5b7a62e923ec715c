//! Denials of gRPC requests, with gRPC's own client and as frames: trailers only, with a gRPC status.

use std::process::Command;

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// What a script of `tests/grpc` prints.
fn run(script: &str, port: u16, token: Option<&str>) -> Value {
    let mut node = Command::new("node");
    node.arg(format!("{}/tests/grpc/{script}", env!("CARGO_MANIFEST_DIR"))).arg(port.to_string());
    let output = node.args(token.map(|token| format!("Bearer {token}"))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("grpc: a client gets its status and message, over HTTP/2 and as trailers only", || {
        let upstream = Upstream::start();
        let configuration = json!({
            "jwtRules": [
                {"issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED"},
                {"issuer": "https://away.example.com", "jwksUri": "https://away.example.com/keys"},
            ],
            "authorizationPolicies": [{"name": "none"}],
        });
        let gate = Listener::gated("grpc", &configuration.to_string());
        let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).json());
        let (now, port) = (crate::now(), envoy.port("grpc"));
        let token = |member: &str, value: Value| {
            let mut recipe = Recipe::default();
            recipe.claims.insert(member.to_owned(), value);
            Some(recipe.sign(now))
        };
        for (token, status, message) in [
            (None, 16, "token_missing: a token is required"),
            (token("exp", json!(now - 900)), 16, "token_expired: the token has expired"),
            (token("sub", json!("alice")), 7, "policy_not_allowed: no policy allows this request"),
            (
                token("iss", json!("https://away.example.com")),
                14,
                "keys_unavailable: the issuer's keys are not available",
            ),
        ] {
            let has_challenge = status == 16 || status == 7;
            let answer = run("call.mjs", port, token.as_deref());
            assert_eq!(answer["code"], status, "{answer}");
            assert_eq!(answer["details"], message, "{answer}");
            assert_eq!(answer["challenge"].as_array().map(Vec::len), Some(usize::from(has_challenge)), "{answer}");

            let answer = run("frames.mjs", port, token.as_deref());
            let headers = &answer["headers"];
            assert_eq!(answer["isTrailersOnly"], true, "{answer}");
            assert_eq!(headers[":status"], 200, "{answer}");
            assert_eq!(headers["content-type"], "application/grpc", "{answer}");
            assert_eq!(headers["grpc-status"], status.to_string().as_str(), "{answer}");
            assert_eq!(headers.get("www-authenticate").is_some(), has_challenge, "{answer}");
        }
        Ok(())
    })]
}
