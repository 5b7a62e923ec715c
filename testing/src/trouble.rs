//! The situations of `docs/troubleshooting.md`, by their headings: which token is sent, and what keys the issuer shows.

use super::{console::Session, token::Recipe};
use serde_json::{Map, Value, json};
use std::fs;

/// What a session is about.
pub struct Situation {
    /// The client's token.
    pub token: Recipe,
    /// The keys that the issuer shows, in the words of `keys::jwks`.
    pub keys: &'static str,
}

/// The sessions of the paper.
pub fn sessions() -> Vec<Session> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/troubleshooting.md");
    super::console::sessions(&fs::read_to_string(file).expect("the paper"))
}

/// The situation below a heading.
pub fn situation(heading: &str) -> Situation {
    let fresh = |more: Value| {
        let mut claims: Map<String, Value> = members(json!({"exp": "@now+3600", "groups": ["staff"]}));
        claims.extend(members(more));
        Recipe { claims, ..Recipe::default() }
    };
    let with = |more: Value| Situation { token: fresh(more), keys: "@p256" };
    let of_key = |kid: &str| Recipe { header: members(json!({"kid": kid})), ..fresh(json!({})) };
    match heading {
        "403 after a rollout"
        | "A header is missing upstream"
        | "Works in curl, not in the browser"
        | "Everything is 503" => with(json!({})),
        "One expired agent among many" => with(json!({"sub": "agent-7", "exp": "@now-3600"})),
        "Wrong audience" => with(json!({"aud": "api://orders"})),
        "The issuer differs by a slash" => with(json!({"iss": "https://idp.example.com/"})),
        "The kid is not in the public set" => Situation { token: of_key("p256-next"), ..with(json!({})) },
        "Tokens are refused after a rotation" => {
            Situation { token: Recipe { key: Some("p256b".into()), ..fresh(json!({})) }, keys: "@p256b" }
        }
        _ => panic!("`{heading}` is no situation of the tests"),
    }
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}
