//! Remote keys in Envoy: a key server that fails on command, several workers, and load.

mod failures;
mod hostile;
mod places;
mod provider;
mod rotation;
mod start;
mod waiting;
mod workers;

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::{Message, Reply},
    key_server::{KEYS, KeyServer},
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// A worker believes only what it fetched itself, and Envoy's main thread runs the module too: so many fetch each set.
const fn vms(workers: usize) -> usize {
    workers + 1
}

const ISSUER: &str = "https://idp.example.com";

pub(crate) fn trials() -> Vec<Trial> {
    let files = [
        start::trials(),
        rotation::trials(),
        workers::trials(),
        waiting::trials(),
        failures::trials(),
        places::trials(),
        provider::trials(),
        hostile::trials(),
    ];
    files.into_iter().flatten().collect()
}

/// A configuration whose one rule fetches the keys of a server through the cluster `keys`, with more fields of the rule.
fn configuration(server: &KeyServer, more: Value) -> Value {
    let mut rule = json!({
        "name": "idp", "issuer": ISSUER, "jwksUri": server.url(KEYS), "jwksCluster": "keys", "presence": "REQUIRED",
    });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "jwtRules": [rule] })
}

/// One listener, `gate`, in front of the upstream and with a way to the server.
fn bootstrap(upstream: &Upstream, server: &KeyServer, configuration: &Value) -> Bootstrap {
    let gate = Listener::gated("gate", &configuration.to_string());
    Bootstrap::to(upstream.port()).cluster("keys", server.port()).listener(gate)
}

/// A valid token signed with a key, and a request with it.
fn bearer(key: &str) -> Message {
    let recipe = Recipe { key: Some(key.into()), alg: Some(algorithm(key).into()), ..Recipe::default() };
    with(&recipe.sign(crate::now()))
}

/// A token whose `kid` is in no key set.
fn bearer_of_unknown_key(kid: impl Display) -> Message {
    let mut recipe = Recipe::default();
    recipe.header.insert("kid".into(), kid.to_string().into());
    with(&recipe.sign(crate::now()))
}

fn with(token: &str) -> Message {
    Message::get("/").header("authorization", format!("Bearer {token}"))
}

fn posting(message: Message, case: &str) -> Message {
    let message = message.header("x-case", case).header("content-length", "4");
    Message { method: "POST".into(), body: b"body".to_vec(), ..message }
}

fn algorithm(key: &str) -> &'static str {
    match key {
        "p384" => "ES384",
        "ed25519" => "EdDSA",
        "rsa" => "RS256",
        _ => "ES256",
    }
}

/// Sends requests until the answer has this status; every earlier answer must have one of the other statuses.
fn ask_until(port: u16, message: &Message, status: u16, others: &[u16], within: Duration) -> Vec<Reply> {
    let end = Instant::now() + within;
    let mut replies = Vec::new();
    while Instant::now() < end {
        let reply = message.send(port).expect("Envoy answers");
        replies.push(reply.clone());
        if reply.status == status {
            return replies;
        }
        assert!(others.contains(&reply.status), "{}: {}", reply.status, reply.text());
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never {status}: {:?}", replies.last().map(Reply::text));
}

/// Waits until every worker has the keys of a server.
fn wait_for_all(server: &KeyServer, workers: usize) {
    server.wait_for(KEYS, vms(workers));
    std::thread::sleep(Duration::from_millis(200));
}

fn fetches(envoy: &Envoy, source: &str, result: &str) -> u64 {
    envoy.stat(&format!("wasmcustom.claimgate.key_fetches.source={source}.result={result}"))
}
