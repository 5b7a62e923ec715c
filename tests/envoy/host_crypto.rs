//! `hostCrypto`: third-party signatures verified by Envoy's own function, the cases of the corpus without it, and what the log
//! and the stats say.

use std::{cell::RefCell, fmt};

use base64::{Engine, prelude::BASE64_STANDARD};
use claimgate::crypto::{Host, HostCrypto, Verify, VerifySignature};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::corpus::{Lab, trials_of};
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    case::corpus,
    envoy::Envoy,
    http::{Connection, Message},
    keys,
    token::Recipe,
    upstream::Upstream,
    vectors::{self, List},
};

const GAUGE: &str = "wasmcustom.claimgate.host_crypto_algorithms";
const ALL: &str = "hostCrypto: the host verifies RS256, RS384, RS512, ES256, ES384, ES512";

/// Envoy's function, reached over HTTP.
struct Envoys {
    connection: RefCell<Connection>,
    calls: RefCell<usize>,
}

impl fmt::Debug for Envoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envoys")
    }
}

impl VerifySignature for Envoys {
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        *self.calls.borrow_mut() += 1;
        let message = Message { method: "POST".into(), path: "/".into(), body: arguments.into(), ..Message::default() };
        let message = message.header("host", "test").header("content-length", arguments.len().to_string());
        let reply = self.connection.borrow_mut().send(&message).expect("Envoy answers");
        (reply.status == 200).then_some(reply.body)
    }
}

fn plugin() -> Value {
    let module = wat::parse_str(include_str!("host_crypto/verify_signature.wat")).expect("it is a module");
    json!({ "name": "verify_signature", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "verify_signature",
            "root_id": "verify_signature",
            "allow_on_headers_stop_iteration": true,
            "vm_config": {
                "vm_id": "verify_signature",
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "inline_bytes": BASE64_STANDARD.encode(module) } },
            },
        },
    }})
}

/// Every vector of these lists, verified by Envoy; it is asked about all that have the form of a signature.
fn judge(lists: &[List], at_least_asked: usize) {
    let upstream = Upstream::start();
    let listener = Listener::filtered("verify", plugin());
    let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(listener).json());
    let connection = RefCell::new(Connection::open(envoy.port("verify")).expect("Envoy listens"));
    let calls = RefCell::new(0);
    let host = Host::probe(Envoys { connection, calls }, HostCrypto::Auto);
    assert_eq!(host.to_string(), ALL);
    let before = *host.function().calls.borrow();
    for vector in lists.iter().flat_map(|list| &list.vectors) {
        let verdict = host.verify(vector.algorithm, &vector.key, &vector.message, &vector.signature);
        assert_eq!(verdict, vector.is_valid, "{} is valid: {}", vector.name, vector.is_valid);
    }
    let asked = *host.function().calls.borrow() - before;
    let all: usize = lists.iter().map(|list| list.vectors.len()).sum();
    eprintln!("Envoy was asked about {asked} of {all} vectors");
    assert!(asked >= at_least_asked, "Envoy was asked about {asked} of {all}");
}

fn configuration(host_crypto: Option<&str>) -> Value {
    let rule = json!({
        "issuer": "https://idp.example.com", "jwks": keys::jwks("@rsa @p256 @p384 @p521 @ed25519"), "presence": "REQUIRED",
    });
    let mut configuration = json!({ "jwtRules": [rule] });
    if let Some(host_crypto) = host_crypto {
        configuration["hostCrypto"] = host_crypto.into();
    }
    configuration
}

/// An Envoy with this configuration, in which good tokens of every algorithm pass and spoiled ones do not.
fn decide(listener: Listener) -> Envoy {
    let upstream = Upstream::start();
    let envoy = Envoy::start(&Bootstrap::to(upstream.port()).listener(listener).json());
    for (key, alg) in [
        ("rsa", "RS256"),
        ("rsa", "RS384"),
        ("rsa", "RS512"),
        ("rsa", "PS256"),
        ("p256", "ES256"),
        ("p384", "ES384"),
        ("p521", "ES512"),
        ("ed25519", "EdDSA"),
    ] {
        let recipe = Recipe { key: Some(key.into()), alg: Some(alg.into()), ..Recipe::default() };
        let good = recipe.sign(crate::now());
        let middle = good.rfind('.').expect("three parts") + 20;
        let spoiled = |with: &str| [&good[..middle], with, &good[middle + 1..]].concat();
        let bad = if good[middle..].starts_with('A') { spoiled("B") } else { spoiled("A") };
        for (token, status) in [(good.as_str(), 200), (bad.as_str(), 401), (good.as_str(), 200)] {
            let message = Message::get("/").header("authorization", format!("Bearer {token}"));
            let reply = message.send(envoy.port("gate")).expect("Envoy answers");
            assert_eq!(reply.status, status, "{alg}: {}", reply.text());
        }
    }
    envoy
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("host crypto: every RSA vector is verified by Envoy", || {
            judge(&vectors::rsa_pkcs1(), 2_000);
            Ok(())
        }),
        Trial::test("host crypto: every ECDSA vector is verified by Envoy", || {
            judge(&vectors::ecdsa_p1363(), 500);
            Ok(())
        }),
        Trial::test("host crypto: it is in use by default, and log and gauge say so", || {
            for configuration in [configuration(None), configuration(Some("auto"))] {
                let envoy = decide(Listener::gated("gate", &configuration.to_string()));
                assert_eq!(envoy.stat(GAUGE), 6);
                assert!(envoy.log().contains(ALL), "{}", envoy.log());
            }
            Ok(())
        }),
        Trial::test("host crypto: it can be turned off, and log and gauge say so", || {
            let envoy = decide(Listener::gated("gate", &configuration(Some("off")).to_string()));
            assert_eq!(envoy.stat(GAUGE), 0);
            let line = "hostCrypto: it is off, so the module verifies all signatures";
            assert!(envoy.log().contains(line), "{}", envoy.log());
            Ok(())
        }),
        Trial::test("host crypto: where foreign functions are restricted the module verifies", || {
            let configuration = configuration(None).to_string();
            let envoy = decide(Listener::gated("gate", &configuration).without_foreign_functions());
            assert_eq!(envoy.stat(GAUGE), 0);
            let line = "hostCrypto: the host has no usable `verify_signature`, so the module verifies all signatures";
            assert!(envoy.log().contains(line), "{}", envoy.log());
            Ok(())
        }),
    ];
    trials.extend(trials_of(Lab::open(without_host()), "corpus with `hostCrypto: off`"));
    trials
}

/// The cases about signatures and tokens, with the module's own verification.
fn without_host() -> Vec<claimgate_testing::case::CaseFile> {
    let is_about_signatures = |name: &str| ["signature/", "token/"].iter().any(|folder| name.starts_with(folder));
    let mut files: Vec<_> = corpus().into_iter().filter(|file| is_about_signatures(&file.name)).collect();
    assert!(!files.is_empty());
    for file in &mut files {
        file.config["hostCrypto"] = "off".into();
    }
    files
}
