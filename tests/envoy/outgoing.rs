//! Policies on what goes upstream, beside Envoy's `jwt_authn` and RBAC as istiod configures them, in one Envoy: the same
//! status, and the same request upstream.
//!
//! Every combination of tokens, forged headers and paths is asked of both.

use std::sync::{Arc, OnceLock};

use crate::exceptions;
use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    istiod, keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// The rules sort by issuer as istiod sorts them.
const HEADER_ISSUER: &str = "https://z.example.com";
const COOKIE_ISSUER: &str = "https://a.example.com";

/// What a place of tokens holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Empty,
    Good,
    Malformed,
    Expired,
    OfAnother,
}

/// What a client sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) header: Place,
    pub(crate) cookie: Place,
    pub(crate) is_forged: bool,
    pub(crate) path: &'static str,
    pub(crate) is_preflight: bool,
}

struct Lab {
    upstream: Upstream,
    envoy: Envoy,
}

pub(crate) fn trials() -> Vec<Trial> {
    let lab = Arc::new(OnceLock::new());
    let paths = ["/open", "/group", "/no-group", "/payload", "/token", "/a", "/z"];
    paths
        .into_iter()
        .map(|path| {
            let lab = Arc::clone(&lab);
            Trial::test(format!("outgoing: {path} beside jwt_authn and RBAC"), move || {
                let lab: &Lab = lab.get_or_init(Lab::open);
                let mut is_passed = false;
                for question in questions(path) {
                    let message = question.message();
                    let ask = |filter| lab.ask(filter, &question, message.clone());
                    let (ours, theirs) = (ask("claimgate"), ask("envoy"));
                    let exception = exceptions::OUTGOING.iter().find(|(_, applies)| applies(&question));
                    match exception {
                        None => assert_eq!(ours, theirs, "{question:?}: claimgate left, Envoy right"),
                        Some((why, _)) => {
                            if path == "/token" {
                                // A token that does not go upstream is not denied there.
                                continue;
                            }
                            assert_eq!(without_tokens(&ours), without_tokens(&theirs), "{question:?}: {why}");
                            let sent = ours["upstream"].to_string();
                            assert!(
                                !sent.contains("authorization") && !sent.contains("session="),
                                "{question:?}: {sent}"
                            );
                        }
                    }
                    is_passed |= ours["status"] == 200;
                }
                assert!(is_passed, "nothing passes");
                Ok(())
            })
        })
        .collect()
}

fn questions(path: &'static str) -> impl Iterator<Item = Question> {
    let places = [Place::Empty, Place::Good, Place::Malformed, Place::Expired, Place::OfAnother];
    places.into_iter().flat_map(move |header| {
        places.into_iter().flat_map(move |cookie| {
            [false, true].into_iter().flat_map(move |is_forged| {
                [false, true].into_iter().map(move |is_preflight| Question {
                    header,
                    cookie,
                    is_forged,
                    path,
                    is_preflight,
                })
            })
        })
    })
}

/// The answer without the headers that held tokens.
fn without_tokens(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(headers) = answer["upstream"].as_object_mut() {
        headers.remove("authorization");
        headers.remove("cookie");
    }
    answer
}

impl Lab {
    fn open() -> Self {
        let upstream = Upstream::start();
        let mut filters = vec![jwt_authn()];
        filters.extend(istiod::rbac(&policies()));
        let bootstrap = Bootstrap::to(upstream.port())
            .listener(Listener::gated("claimgate", &claimgate().to_string()))
            .listener(Listener::chained("envoy", filters));
        Self { envoy: Envoy::start(&bootstrap.json()), upstream }
    }

    fn ask(&self, filter: &str, question: &Question, message: Message) -> Value {
        let case = format!("{filter} {question:?}");
        let reply = message.header("x-case", &case).send(self.envoy.port(filter)).unwrap();
        let upstream = self.upstream.seen(&case).map(|seen| {
            let names = ["authorization", "cookie", "x-group", "x-payload"];
            let headers = names.iter().filter_map(|name| Some(((*name).to_owned(), json!(seen.header(name)?))));
            Value::Object(headers.collect())
        });
        json!({"status": reply.status, "body": reply.text(), "upstream": upstream})
    }
}

impl Question {
    fn message(&self) -> Message {
        let mut message = Message::get(self.path);
        if self.is_preflight {
            message.method = "OPTIONS".to_owned();
            message =
                message.header("origin", "https://app.example.com").header("access-control-request-method", "GET");
        }
        if let Some(token) = self.header.token(HEADER_ISSUER, COOKIE_ISSUER) {
            message = message.header("authorization", format!("Bearer {token}"));
        }
        if let Some(token) = self.cookie.token(COOKIE_ISSUER, HEADER_ISSUER) {
            message = message.header("cookie", format!("session={token}"));
        }
        if self.is_forged {
            message = message.header("x-group", "admin").header("x-payload", "e30");
        }
        message
    }
}

impl Place {
    /// The token at a place of this issuer.
    fn token(self, own: &str, other: &str) -> Option<String> {
        let now = crate::now();
        let sign = |issuer: &str, exp: u64| {
            let claims = json!({"iss": issuer, "sub": "alice", "groups": "admin", "exp": exp});
            Recipe { claims: serde_json::from_value(claims).unwrap(), ..Recipe::default() }.sign(now)
        };
        match self {
            Self::Empty => None,
            Self::Good => Some(sign(own, now + 600)),
            Self::Malformed => Some("malformed".to_owned()),
            Self::Expired => Some(sign(own, now - 600)),
            Self::OfAnother => Some(sign(other, now + 600)),
        }
    }
}

fn policies() -> Value {
    let to = |path: &str| json!([{"operation": {"paths": [path]}}]);
    let when = |key: &str, field: &str, value: &str| json!([{"key": key, field: [value]}]);
    let from = |issuer: &str| json!([{"source": {"requestPrincipals": [format!("{issuer}/*")]}}]);
    json!([
        {"name": "deny", "namespace": "foo", "action": "DENY", "rules": [
            {"to": to("/no-group"), "when": when("request.headers[x-group]", "values", "admin")},
            {"to": to("/token"), "when": when("request.headers[authorization]", "values", "*")},
        ]},
        {"name": "allow", "namespace": "foo", "rules": [
            {"to": to("/open")},
            {"to": to("/no-group")},
            {"to": to("/token")},
            {"to": to("/group"), "when": when("request.headers[x-group]", "values", "admin")},
            {"to": to("/payload"), "when": when("request.headers[x-payload]", "values", "*")},
            {"to": to("/a"), "from": from(COOKIE_ISSUER)},
            {"to": to("/z"), "from": from(HEADER_ISSUER)},
        ]},
    ])
}

fn claimgate() -> Value {
    let rule = |issuer: &str, place: &str, from: Value| {
        json!({
            "issuer": issuer, "jwks": keys::jwks("@p256"), "requireExpiration": false, place: from,
            "outputPayloadToHeader": "x-payload", "outputClaimToHeaders": [{"header": "x-group", "claim": "groups"}],
        })
    };
    let rules = [
        rule(HEADER_ISSUER, "fromHeaders", json!([{"name": "authorization", "prefix": "Bearer "}])),
        rule(COOKIE_ISSUER, "fromCookies", json!(["session"])),
    ];
    json!({"errors": {"style": "istio"}, "jwtRules": rules, "authorizationPolicies": policies()})
}

/// As istiod has it for two rules: sorted by issuer, any of them, or each of them if it has a token.
fn jwt_authn() -> Value {
    let provider = |issuer: &str, place: &str, from: Value| {
        json!({
            "issuer": issuer, "local_jwks": {"inline_string": keys::jwks("@p256")}, place: from,
            "payload_in_metadata": "payload", "forward_payload_header": "x-payload",
            "claim_to_headers": [{"header_name": "x-group", "claim_name": "groups"}],
        })
    };
    let optional =
        |name: &str| json!({"requires_any": {"requirements": [{"provider_name": name}, {"allow_missing": {}}]}});
    json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "bypass_cors_preflight": true,
        "providers": {
            "origins-0": provider(COOKIE_ISSUER, "from_cookies", json!(["session"])),
            "origins-1": provider(HEADER_ISSUER, "from_headers", json!([{"name": "authorization", "value_prefix": "Bearer "}])),
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
            {"provider_name": "origins-0"},
            {"provider_name": "origins-1"},
            {"requires_all": {"requirements": [optional("origins-0"), optional("origins-1")]}},
        ]}}}],
    }})
}
