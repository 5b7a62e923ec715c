//! Tokens signed by the library `jose`, verified by claimgate in Envoy.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    keys,
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

const SIGNERS: [(&str, &str); 13] = [
    ("rsa", "RS256"),
    ("rsa", "RS384"),
    ("rsa", "RS512"),
    ("rsa2", "PS256"),
    ("rsa2", "PS384"),
    ("rsa2", "PS512"),
    ("p256", "ES256"),
    ("p384", "ES384"),
    ("p521", "ES512"),
    ("ed25519", "EdDSA"),
    ("hmac", "HS256"),
    ("hmac", "HS384"),
    ("hmac", "HS512"),
];

struct Lab {
    upstream: Upstream,
    envoy: Envoy,
    tokens: Vec<String>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let lab = Arc::new(OnceLock::new());
    let trial = |(index, (key, algorithm)): (usize, (&str, &str))| {
        let lab = Arc::clone(&lab);
        Trial::test(format!("jose: a token signed with {algorithm} by {key}"), move || {
            let lab: &Lab = lab.get_or_init(Lab::open);
            lab.try_token(index, &lab.tokens[index], 200)?;
            // The signature of the same claims by another algorithm.
            let (message, _) = lab.tokens[index].rsplit_once('.').unwrap();
            let (_, other) = lab.tokens[(index + 1) % SIGNERS.len()].rsplit_once('.').unwrap();
            lab.try_token(index + 100, &format!("{message}.{other}"), 401)
        })
    };
    SIGNERS.into_iter().enumerate().map(trial).collect()
}

impl Lab {
    fn open() -> Self {
        let upstream = Upstream::start();
        let configuration = json!({"jwtRules": [{
            "issuer": "https://idp.example.com",
            "jwks": keys::jwks("@rsa @rsa2 @p256 @p384 @p521 @ed25519 @hmac"),
            "algorithms": SIGNERS.map(|(_, algorithm)| algorithm),
            "presence": "REQUIRED",
            "outputClaimToHeaders": [{"header": "x-user", "claim": "sub"}],
        }]});
        let gate = Listener::gated("jose", &configuration.to_string());
        let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).json());
        Self { upstream, envoy, tokens: sign() }
    }

    fn try_token(&self, id: usize, token: &str, status: u16) -> Result<(), Failed> {
        let case = format!("jose-{id}");
        let message = Message::get("/").header("authorization", format!("Bearer {token}")).header("x-case", &case);
        let reply = message.header("X_User", "root").send(self.envoy.port("jose"))?;
        assert_eq!(reply.status, status, "{}", reply.text());
        let seen = self.upstream.seen(&case);
        assert_eq!(seen.is_some(), status == 200);
        if let Some(seen) = seen {
            assert_eq!(seen.header("x-user").as_deref(), Some("jose's Alice"));
            assert_eq!(seen.header("x_user"), None);
            assert_eq!(seen.header("authorization"), None);
        }
        Ok(())
    }
}

fn sign() -> Vec<String> {
    let now = crate::now();
    let claims = json!({"iss": "https://idp.example.com", "sub": "jose's Alice", "exp": now + 300, "list": [1, "é"]});
    let order = |(key, algorithm): (&str, &str)| -> Value {
        json!({"jwk": keys::private_jwk(key), "header": {"alg": algorithm, "kid": key}, "claims": claims})
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jose/sign.mjs");
    let mut node = Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let orders: Vec<String> = SIGNERS.into_iter().map(|signer| order(signer).to_string()).collect();
    writeln!(node.stdin.take().unwrap(), "{}", orders.join("\n")).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "jose did not sign: is it installed? `./build.sh test` does that");
    let tokens: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(tokens.len(), SIGNERS.len());
    tokens
}
