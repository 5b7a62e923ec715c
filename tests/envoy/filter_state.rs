//! What the access log and later filters read of a decision. Identities come only from a verified token.

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "filter state: the access log and a later filter read the decision, and no client forges it",
        read,
    )]
}

const NAMES: [&str; 7] = ["outcome", "reason", "rule", "provider", "issuer", "subject", "principal"];

fn read() -> Result<(), Failed> {
    let upstream = Upstream::start();
    let gate = |name: &str, more: Value| {
        let mut configuration = json!({
            "jwtRules": [{"name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256")}],
            "authorizationPolicies": [
                {"name": "open", "namespace": "a", "rules": [{"to": [{"operation": {"notPaths": ["/closed"]}}]}]},
                {"name": "never", "namespace": "a", "action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/never"]}}]}]},
            ],
        });
        configuration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Listener::gated(name, &configuration.to_string()).followed_by(subject_as_header())
    };
    let listeners = [
        gate("usual", json!({})),
        gate("all", json!({"filterState": NAMES})),
        gate("none", json!({"filterState": []})),
    ];
    let envoy = Envoy::start(&listeners.into_iter().fold(Bootstrap::to(upstream.port()), Bootstrap::listener).json());
    let now = crate::now();
    let bearer = |recipe: Recipe| format!("Bearer {}", recipe.sign(now));
    let good = bearer(Recipe::default());
    let forged = bearer(Recipe { signature: Some("flip".into()), ..Recipe::default() });
    let broken = json!({"sub": "alice\nbob"});
    let broken = bearer(Recipe { claims: broken.as_object().unwrap().clone(), ..Recipe::default() });
    let ask = |id: &str, listener: &str, path: &str, authorization: Option<&str>| {
        let message = Message::get(path).header("x-case", id).header("x-subject", "root");
        let message = message.header("wasm.claimgate.subject", "root").header("claimgate.subject", "root");
        let message = authorization.into_iter().fold(message, |message, it| message.header("authorization", it));
        let status = message.send(envoy.port(listener))?.status;
        let logged = envoy.logged(id);
        let told: Vec<(&str, String)> =
            NAMES.iter().filter_map(|name| Some((*name, logged[*name].as_str()?.to_owned()))).collect();
        let header = upstream.seen(id).and_then(|seen| seen.header("x-subject"));
        Ok::<_, std::io::Error>((status, told, header))
    };
    let told = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    let open = ("rule", "ns[a]-policy[open]-rule[0]");
    let never = ("rule", "ns[a]-policy[never]-rule[0]");
    let who = [
        ("provider", "idp"),
        ("issuer", "https://idp.example.com"),
        ("subject", "alice"),
        ("principal", "https://idp.example.com/alice"),
    ];

    // By default: the reason of a denial, and nothing about allowed requests.
    assert_eq!(ask("1", "usual", "/", Some(&good))?, (200, told(&[]), None));
    assert_eq!(ask("2", "usual", "/closed", Some(&good))?, (403, told(&[("reason", "policy_not_allowed")]), None));
    assert_eq!(ask("3", "usual", "/never", Some(&good))?, (403, told(&[("reason", "policy_denied"), never]), None));
    // The listed attributes, for every request; later filters read them too.
    let everything = [&[("outcome", "allowed"), open], who.as_slice()].concat();
    assert_eq!(ask("4", "all", "/", Some(&good))?, (200, told(&everything), Some("alice".into())));
    let everything = [&[("outcome", "denied"), ("reason", "policy_denied"), never], who.as_slice()].concat();
    assert_eq!(ask("5", "all", "/never", Some(&good))?, (403, told(&everything), None));
    // A token that is not verified sets no identity, and neither does a header.
    let refused = [("outcome", "denied"), ("reason", "signature_invalid"), ("provider", "idp")];
    assert_eq!(ask("6", "all", "/", Some(&forged))?, (401, told(&refused), None));
    assert_eq!(ask("7", "all", "/", None)?, (200, told(&[("outcome", "allowed"), open]), None));
    // A value that could end a line is left out.
    let without = [("outcome", "allowed"), open, ("provider", "idp"), ("issuer", "https://idp.example.com")];
    assert_eq!(ask("8", "all", "/", Some(&broken))?, (200, told(&without), None));
    assert_eq!(ask("9", "none", "/never", Some(&good))?, (403, told(&[]), None));
    Ok(())
}

/// A filter after claimgate. It first removes the client's header with that name.
fn subject_as_header() -> Value {
    json!({"name": "envoy.filters.http.header_mutation", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"request_mutations": [
            {"remove": "x-subject"},
            {"append": {"header": {"key": "x-subject", "value": "%FILTER_STATE(wasm.claimgate.subject:PLAIN)%"}}},
        ]},
    }})
}
