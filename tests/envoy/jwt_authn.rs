//! Style `istio` beside Envoy's own `jwt_authn` in one Envoy: the same status, headers and body, also to gRPC, and the same
//! headers upstream.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use crate::exceptions;
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

/// A request: its name, path and headers, and the recipe for what `{token}` in them stands for.
type Situation = (&'static str, &'static str, Vec<(&'static str, &'static str)>, Recipe);

fn situations() -> Vec<Situation> {
    let claims = |claims: Value| Recipe { claims: serde_json::from_value(claims).unwrap(), ..Recipe::default() };
    let bearer = || vec![("authorization", "Bearer {token}")];
    let of = |recipe: Recipe| ("/a/b", bearer(), recipe);
    let with = |name: &'static str, (path, headers, recipe)| (name, path, headers, recipe);
    vec![
        with("a good token", of(Recipe::default())),
        with("no token", ("/a/b", vec![], Recipe::default())),
        with("no token on a long path", (LONG_PATH, vec![], Recipe::default())),
        with("another scheme", ("/", vec![("authorization", "Basic {token}")], Recipe::default())),
        with("a query parameter", ("/a?x=1&access_token={token}&y=2", vec![], Recipe::default())),
        with("a query parameter among encoded ones", ("/a?access_token={token}&y=%20", vec![], Recipe::default())),
        with("a lone query parameter", ("/a?access_token={token}", vec![], Recipe::default())),
        with("forged headers", ("/", vec![("x-sub", "root"), ("X-Payload", "root")], Recipe::default())),
        with(
            "a good and a bad header",
            ("/", vec![("authorization", "Bearer {token}"), ("authorization", "Bearer a.b")], Recipe::default()),
        ),
        with("a good header and a bad parameter", ("/?access_token=a.b", bearer(), Recipe::default())),
        with("the same token twice", ("/?access_token={token}", bearer(), Recipe::default())),
        with("two parts", ("/", vec![("authorization", "Bearer a.b")], Recipe::default())),
        with("empty parts", ("/", vec![("authorization", "Bearer ..")], Recipe::default())),
        with("a header that is not base64url", ("/", vec![("authorization", "Bearer a!.b.c")], Recipe::default())),
        with("a header that is not JSON", of(Recipe { raw_header: Some("{".into()), ..Recipe::default() })),
        with("no alg", of(Recipe { raw_header: Some("{}".into()), ..Recipe::default() })),
        with("alg none", of(Recipe { alg: Some("none".into()), ..Recipe::default() })),
        with("an unknown alg", of(Recipe { raw_header: Some(r#"{"alg":"ES257"}"#.into()), ..Recipe::default() })),
        with(
            "kid is a number",
            of(Recipe { raw_header: Some(r#"{"alg":"ES256","kid":1}"#.into()), ..Recipe::default() }),
        ),
        with("a payload that is not JSON", of(Recipe { raw_payload: Some("[".into()), ..Recipe::default() })),
        with("iss is a number", of(claims(json!({"iss": 1})))),
        with("sub is a number", of(claims(json!({"sub": 1})))),
        with("jti is a number", of(claims(json!({"jti": 1})))),
        with("exp is a word", of(claims(json!({"exp": "soon"})))),
        with("nbf is a word", of(claims(json!({"nbf": "soon"})))),
        with("iat is a word", of(claims(json!({"iat": "soon"})))),
        with("aud is a number", of(claims(json!({"aud": 1})))),
        with("aud holds a number", of(claims(json!({"aud": ["a", 1]})))),
        with("an unknown issuer", of(claims(json!({"iss": "https://other.example.com"})))),
        with("no issuer", of(claims(json!({"iss": "@absent"})))),
        with("expired", of(claims(json!({"exp": "@now-120"})))),
        with("not valid yet", of(claims(json!({"nbf": "@now+120"})))),
        with("another audience", of(claims(json!({"aud": "api://other"})))),
        with("no audience", of(claims(json!({"aud": "@absent"})))),
        with("a list of audiences", of(claims(json!({"aud": ["x", "https://api.example.com/"]})))),
        with("an unknown kid", of(Recipe { key: Some("p256b".into()), ..Recipe::default() })),
        with(
            "a key of another kind",
            of(Recipe { raw_header: Some(r#"{"alg":"RS256","kid":"p256"}"#.into()), ..Recipe::default() }),
        ),
        with("a flipped signature", of(Recipe { signature: Some("flip".into()), ..Recipe::default() })),
        with("a string claim with every character", of(claims(json!({"name": "a, b;c \"d\" \\ é"})))),
        with("numbers", of(claims(json!({"int": 42, "big": 9007199254740991_u64, "zero": 0})))),
        with("odd numbers", of(claims(json!({"int": -7, "big": 2.5, "zero": -0.125})))),
        with("numbers at the edge", of(claims(json!({"int": 1e20, "big": -0.0, "zero": 18446744073709551616.0})))),
        with("exp before the epoch", of(claims(json!({"exp": -1})))),
        with("nbf before the epoch", of(claims(json!({"nbf": -1.5})))),
        with("iat before the epoch", of(claims(json!({"iat": -1})))),
        with("exp beyond all time", of(claims(json!({"exp": 1e300})))),
        with("booleans", of(claims(json!({"int": true, "big": false})))),
        with("null", of(claims(json!({"int": null})))),
        with("an empty string", of(claims(json!({"name": ""})))),
        with("a list of strings", of(claims(json!({"list": ["a", "b,c"]})))),
        with("an empty list", of(claims(json!({"list": []})))),
        with("an object", of(claims(json!({"list": {"a": {"b": [1, true, null]}}})))),
        with("a nested claim", of(claims(json!({"realm": {"role": "admin"}})))),
    ]
}

const LONG_PATH: &str = concat!(
    "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "/cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc",
);

const OUTPUTS: [(&str, &str); 7] = [
    ("x-sub", "sub"),
    ("x-name", "name"),
    ("x-int", "int"),
    ("x-big", "big"),
    ("x-zero", "zero"),
    ("x-list", "list"),
    ("x-role", "realm.role"),
];

/// Headers that differ every time.
const OF_THE_MOMENT: [&str; 2] = ["date", "x-envoy-upstream-service-time"];

struct Lab {
    upstream: Upstream,
    envoy: Envoy,
}

pub(crate) fn trials() -> Vec<Trial> {
    let lab = Arc::new(OnceLock::new());
    let trial = |presence: &'static str| {
        let lab = Arc::clone(&lab);
        move |(index, (name, path, headers, recipe)): (usize, Situation)| {
            let lab = Arc::clone(&lab);
            Trial::test(format!("jwt_authn {presence}: {name}"), move || {
                let lab: &Lab = lab.get_or_init(Lab::open);
                let now = crate::now();
                let token = recipe.sign(now);
                let ask = |filter: &str, kind: &'static str| {
                    let id = format!("{presence}-{index}-{kind}");
                    let headers: Vec<_> = headers.iter().copied().chain([("content-type", kind)]).collect();
                    lab.ask(filter, presence, &id, path, &headers, &token)
                };
                let stricter = exceptions::JWT_AUTHN.iter().find(|(stricter, ..)| *stricter == name);
                for kind in ["text/plain", "application/grpc"] {
                    let (ours, theirs) = (ask("claimgate", kind)?, ask("jwt_authn", kind)?);
                    match stricter {
                        // Every status of gRPC is 200.
                        Some((_, envoy, claimgate)) if kind == "text/plain" => {
                            assert_eq!((&theirs["status"], &ours["status"]), (&json!(envoy), &json!(claimgate)))
                        }
                        Some(_) => assert_ne!(ours, theirs),
                        None => assert_eq!(ours, theirs, "claimgate left, jwt_authn right"),
                    }
                }
                Ok(())
            })
        }
    };
    let required = situations().into_iter().enumerate().map(trial("REQUIRED"));
    required.chain(situations().into_iter().enumerate().map(trial("OPTIONAL"))).collect()
}

impl Lab {
    fn open() -> Self {
        let upstream = Upstream::start();
        let mut bootstrap = Bootstrap::to(upstream.port());
        for presence in ["REQUIRED", "OPTIONAL"] {
            bootstrap = bootstrap
                .listener(Listener::gated(&format!("claimgate {presence}"), &claimgate(presence).to_string()))
                .listener(Listener::filtered(&format!("jwt_authn {presence}"), jwt_authn(presence)));
        }
        Self { envoy: Envoy::start(&bootstrap.json()), upstream }
    }

    /// Everything that a client or an upstream can see.
    fn ask(
        &self,
        filter: &str,
        presence: &str,
        id: &str,
        path: &str,
        headers: &[(&str, &str)],
        token: &str,
    ) -> Result<Value, Failed> {
        let case = format!("{filter}-{id}");
        let start = Message::get(&path.replace("{token}", token)).header("x-case", &case);
        let message =
            headers.iter().fold(start, |message, (name, value)| message.header(name, value.replace("{token}", token)));
        let reply = message.send(self.envoy.port(&format!("{filter} {presence}")))?;
        let upstream = self.upstream.seen(&case).map(|seen| {
            let names = OUTPUTS.iter().map(|(header, _)| *header).chain(["authorization", "x-payload"]);
            let headers: Vec<_> =
                names.filter_map(|name| seen.header(name).map(|value| format!("{name}: {value}"))).collect();
            json!({"path": seen.path, "headers": headers})
        });
        let mut told = BTreeMap::new();
        for (name, value) in reply.headers.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str())) {
            told.entry(name).or_insert_with(Vec::new).push(without_query(String::from_utf8_lossy(value).into_owned()));
        }
        Ok(json!({ "status": reply.status, "headers": told, "body": reply.text(), "upstream": upstream }))
    }
}

/// Envoy's realm contains the query, with the token in it. claimgate's realm does not.
pub(crate) fn without_query(challenge: String) -> String {
    match (challenge.find('?'), challenge.find("\", error")) {
        (Some(query), Some(end)) if query < end => format!("{}{}", &challenge[..query], &challenge[end..]),
        _ => challenge,
    }
}

fn claimgate(presence: &str) -> Value {
    json!({"errors": {"style": "istio"}, "jwtRules": [{
        "issuer": "https://idp.example.com",
        "audiences": ["api://payments", "http://api.example.com"],
        "jwks": keys::jwks("@p256"),
        "presence": presence,
        "requireExpiration": false,
        "outputPayloadToHeader": "x-payload",
        "outputClaimToHeaders": OUTPUTS.map(|(header, claim)| json!({"header": header, "claim": claim})),
    }]})
}

fn jwt_authn(presence: &str) -> Value {
    let requires = match presence {
        "REQUIRED" => json!({"provider_name": "p"}),
        _ => json!({"requires_any": {"requirements": [{"provider_name": "p"}, {"allow_missing": {}}]}}),
    };
    json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "bypass_cors_preflight": true,
        "providers": {"p": {
            "issuer": "https://idp.example.com",
            "audiences": ["api://payments", "http://api.example.com"],
            "local_jwks": {"inline_string": keys::jwks("@p256")},
            "forward_payload_header": "x-payload",
            "claim_to_headers": OUTPUTS.map(|(header, claim)| json!({"header_name": header, "claim_name": claim})),
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": requires}],
    }})
}
