//! Rules of distinct hosts and paths, said to claimgate and to Envoy, and the requests that meet them.
//!
//! Every size has the rule of `MIDDLE` in its middle, so every size is asked the very same.

use std::ops::Range;

use claimgate_testing::{keys, token::Recipe};
use serde_json::{Map, Value, json};

use super::now;

/// The rule that the requests are about.
const MIDDLE: usize = 5_000;

/// A request, and what becomes of it.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// One rule lets it pass.
    Allowed,
    /// It has a good token and a known host, and no rule for its path.
    Unmatched,
    /// A rule would let it pass, but for its token.
    Anonymous,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Allowed, Self::Unmatched, Self::Anonymous];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Unmatched => "unmatched",
            Self::Anonymous => "anonymous",
        }
    }

    pub(crate) fn path(self) -> String {
        match self {
            Self::Allowed | Self::Anonymous => format!("/api/{MIDDLE}/a"),
            Self::Unmatched => "/other/a".to_owned(),
        }
    }

    pub(crate) fn has_token(self) -> bool {
        !matches!(self, Self::Anonymous)
    }

    /// The statuses of claimgate and of Envoy's RBAC, which knows no 401.
    pub(crate) fn statuses(self) -> [u16; 2] {
        match self {
            Self::Allowed => [200, 200],
            Self::Unmatched => [403, 403],
            Self::Anonymous => [401, 403],
        }
    }
}

/// The host of every request.
pub(crate) fn host() -> String {
    format!("svc-{MIDDLE}.example.com")
}

/// The token of every request that has one.
pub(crate) fn token() -> String {
    let recipe = json!({"claims": {"groups": ["staff", format!("team-{MIDDLE}")], "exp": "@now+3600"}});
    serde_json::from_value::<Recipe>(recipe).unwrap().sign(now())
}

/// For claimgate.
pub(crate) fn claimgate(size: usize) -> String {
    let rule = |number: usize| {
        json!({
            "to": [{"operation": {
                "hosts": [format!("svc-{number}.example.com")],
                "methods": ["GET"],
                "paths": [format!("/api/{number}/{{*}}")],
            }}],
            "when": [{"key": "request.auth.claims[groups]", "values": [format!("team-{number}")]}],
        })
    };
    json!({
        "jwtRules": [{"issuer": "https://idp.example.com", "jwks": keys::jwks("@p256")}],
        "authorizationPolicies": [{"name": "teams", "rules": numbers(size).map(rule).collect::<Vec<_>>()}],
    })
    .to_string()
}

/// For Envoy: what istiod generates, with the token cache on, which Istio leaves off.
pub(crate) fn envoy(size: usize) -> [Value; 2] {
    let jwt_authn = json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"p": {
            "issuer": "https://idp.example.com",
            "local_jwks": {"inline_string": keys::jwks("@p256")},
            "payload_in_metadata": "payload",
            "jwt_cache_config": {"jwt_cache_size": 100},
        }},
        "rules": [{
            "match": {"prefix": "/"},
            "requires": {"requires_any": {"requirements": [{"provider_name": "p"}, {"allow_missing": {}}]}},
        }],
    }});
    let header = |name: &str, value: String, ignore_case: bool| json!({"header": {"name": name, "string_match": {"exact": value, "ignore_case": ignore_case}}});
    let policy = |number: usize| {
        let template = json!({"uri_template": {
            "name": "uri-template",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                "path_template": format!("/api/{number}/*"),
            },
        }});
        let permissions = [
            header(":authority", format!("svc-{number}.example.com"), true),
            header(":method", "GET".to_owned(), false),
            template,
        ];
        let group = json!({"list_match": {"one_of": {"string_match": {"exact": format!("team-{number}")}}}});
        let principal = json!({"metadata": {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{"key": "payload"}, {"key": "groups"}],
            "value": group,
        }});
        let policy = json!({"permissions": [{"and_rules": {"rules": permissions}}], "principals": [principal]});
        (format!("ns[]-policy[teams]-rule[{number}]"), policy)
    };
    let rbac = json!({"name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": numbers(size).map(policy).collect::<Map<_, _>>()},
    }});
    [jwt_authn, rbac]
}

fn numbers(size: usize) -> Range<usize> {
    MIDDLE - size / 2..MIDDLE + size / 2
}
