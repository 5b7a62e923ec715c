//! Refusals to a gRPC client over HTTP/2: trailers only, with the status of gRPC.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    keys,
    token::Recipe,
    upstream::Upstream,
};

fn ask(port: u16, token: Option<&str>) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grpc/ask.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(port.to_string()).args(token.map(|token| format!("Bearer {token}")));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("grpc: over HTTP/2 a refusal is trailers only, with its status and message", || {
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
        let now = crate::now();
        let token = |member: &str, value: Value| {
            let mut recipe = Recipe::default();
            recipe.claims.insert(member.to_owned(), value);
            Some(recipe.sign(now))
        };
        for (token, status, message) in [
            (None, 16, "token_missing"),
            (token("exp", json!(now - 900)), 16, "token_expired"),
            (token("sub", json!("alice")), 7, "policy_not_allowed"),
            (token("iss", json!("https://away.example.com")), 14, "keys_unavailable"),
        ] {
            let answer = ask(envoy.port("grpc"), token.as_deref());
            assert_eq!(answer["isTrailersOnly"], true, "{answer}");
            let headers = &answer["headers"];
            assert_eq!(headers[":status"], 200, "{answer}");
            assert_eq!(headers["content-type"], "application/grpc", "{answer}");
            assert_eq!(headers["grpc-status"], status.to_string().as_str(), "{answer}");
            let said = headers["grpc-message"].as_str().unwrap();
            assert!(said.starts_with(message), "{answer}");
            assert_eq!(headers.get("www-authenticate").is_some(), status == 16 || status == 7, "{answer}");
        }
        Ok(())
    })]
}
