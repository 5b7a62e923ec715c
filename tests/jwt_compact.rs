//! Tokens made by another crate, `jwt-compact`, against the core.
#![cfg(test)]

use claimgate::{
    config::Config,
    gate::{Gate, Step},
    outbound::wait_queue::StreamId,
    request::Request,
    time::UnixTime,
};
use claimgate_testing::{case::Peer, core::NOW, keys};
use jwt_compact::{
    Algorithm, AlgorithmExt, Claims, Header,
    alg::{Ed25519, Es256, Hs256, Hs256Key},
    jwk::JsonWebKey,
};
use serde_json::{Value, json};

fn admitted(key: &str, algorithm: &str, token: &str) -> bool {
    let rule =
        json!({"issuer": "https://idp.example.com", "jwks": keys::jwks(&format!("@{key}")), "algorithms": [algorithm]});
    let (config, _) = Config::parse(json!({"jwtRules": [rule]}).to_string().as_bytes()).unwrap();
    let request = Request::new(vec![
        (":path".into(), b"/".to_vec()),
        ("authorization".into(), format!("Bearer {token}").into_bytes()),
    ]);
    matches!(
        Gate::new(config).admit(StreamId(0), &request, &Peer::default(), UnixTime::from_secs(NOW)).step,
        Step::Forward(_)
    )
}

fn sign<A: Algorithm>(algorithm: &A, key: &A::SigningKey) -> String {
    let claims = Claims::new(json!({"iss": "https://idp.example.com", "sub": "alice", "exp": NOW + 60}));
    algorithm.token(&Header::<()>::default(), &claims, key).unwrap()
}

fn jwk(name: &str) -> Value {
    let mut jwk = keys::private_jwk(name);
    jwk.as_object_mut().unwrap().retain(|member, _| ["kty", "crv", "x", "y", "d", "k"].contains(&member.as_str()));
    jwk
}

#[test]
fn es256() {
    let jwk: JsonWebKey<'static> = serde_json::from_value(jwk("p256")).unwrap();
    let token = sign(&Es256, &(&jwk).try_into().unwrap());
    assert!(admitted("p256", "ES256", &token));
    assert!(!admitted("p256b", "ES256", &token));
}

#[test]
fn eddsa() {
    let jwk: JsonWebKey<'static> = serde_json::from_value(jwk("ed25519")).unwrap();
    let token = sign(&Ed25519, &(&jwk).try_into().unwrap());
    assert!(admitted("ed25519", "EdDSA", &token));
    assert!(!admitted("p256", "ES256", &token));
}

#[test]
fn hs256() {
    let jwk: JsonWebKey<'static> = serde_json::from_value(jwk("hmac")).unwrap();
    let token = sign(&Hs256, &Hs256Key::try_from(&jwk).unwrap());
    assert!(admitted("hmac", "HS256", &token));
    assert!(!admitted("hmac2", "HS256", &token));
}
