//! Envoy selects the route again only if a header that it may depend on was set or removed.
#![cfg(test)]

use claimgate::{
    config::Config,
    gate::{Decision, Gate, Step},
    outbound::wait_queue::StreamId,
    request::Request,
    time::UnixTime,
};
use claimgate_testing::{case::Peer, core::NOW, keys, token::Recipe};
use serde_json::{Value, json};

/// Whether Envoy selects the route again for a request with a token of this issuer, with these claims and headers.
fn clears(issuer: &str, claims: Value, headers: &[(&str, &str)]) -> bool {
    let rule = |name: &str, clears: bool| {
        json!({
            "issuer": name, "jwks": keys::jwks("@p256"), "clearRouteCache": clears,
            "outputClaimToHeaders": [{"header": format!("x-{name}"), "claim": "tenant"}],
        })
    };
    let configuration = json!({"jwtRules": [rule("routed", true), rule("plain", false)]});
    let mut gate = Gate::new(Config::parse(configuration.to_string().as_bytes()).unwrap().0);
    let mut recipe = Recipe { claims: claims.as_object().unwrap().clone(), ..Recipe::default() };
    recipe.claims.insert("iss".to_owned(), issuer.into());
    let token =
        (!issuer.is_empty()).then(|| ("authorization".to_owned(), format!("Bearer {}", recipe.sign(NOW)).into()));
    let sent = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let request = [(":method", "GET"), (":path", "/"), (":authority", "test")];
    let request = request.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let request = Request::new(request.into_iter().chain(token).chain(sent).collect());
    let Decision { step, record } = gate.admit(StreamId(0), &request, &Peer::default(), UnixTime::from_secs(NOW));
    assert!(matches!(step, Step::Forward(_)), "{step:?}");
    record.mutation.clear_route_cache
}

#[test]
fn a_header_that_was_set() {
    assert!(clears("routed", json!({"tenant": "a"}), &[]));
    assert!(!clears("plain", json!({"tenant": "a"}), &[]));
}

#[test]
fn a_claim_that_wrote_nothing() {
    assert!(!clears("routed", json!({}), &[]));
    assert!(!clears("routed", json!({"tenant": "a\nb"}), &[]));
}

#[test]
fn a_forgery_that_is_gone() {
    assert!(clears("", json!({}), &[("x-routed", "a")]));
    assert!(clears("", json!({}), &[("x_routed", "a")]));
    assert!(clears("plain", json!({"tenant": "a"}), &[("x-routed", "a")]));
    assert!(!clears("", json!({}), &[("x-plain", "a")]));
    assert!(!clears("", json!({}), &[]));
}
