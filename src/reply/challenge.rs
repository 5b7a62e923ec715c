//! `WWW-Authenticate` (RFC 6750 section 3, RFC 9110 section 11.6.1), in our words and in Envoy's.

use super::{Details, Errors};
use crate::{
    denial::Denial,
    reason::{Challenge, Reason},
    request::Request,
};

/// Envoy cuts the path in its realm here, in bytes.
const ENVOY_REALM_PATH: usize = 256;

/// The name of the protected space, safe between quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Realm(String);

impl Realm {
    /// A realm as it is written; `None` if it would need escapes, which many clients do not know.
    pub fn parse(written: String) -> Option<Self> {
        written.bytes().all(is_quotable).then_some(Self(written))
    }
}

/// The challenge of style `rfc6750`, if the denial is one for want of credentials.
pub(super) fn rfc6750(denial: &Denial, errors: &Errors, request: &Request) -> Option<String> {
    let error = match denial.reason.challenge() {
        Challenge::None => return None,
        Challenge::InsufficientScope if denial.is_anonymous => return None,
        Challenge::Bare => None,
        Challenge::InvalidToken => Some("invalid_token"),
        Challenge::InsufficientScope => Some("insufficient_scope"),
    };
    let mut challenge = match &errors.realm {
        Some(Realm(realm)) => bearer(realm, error),
        None => bearer(&quotable(request.authority()), error),
    };
    if errors.details != Details::None && error.is_some() {
        let mut add = |name: &str, value: &str| challenge.extend([", ", name, "=\"", value, "\""]);
        add("error_description", &denial.reason.to_string());
        if let Some(scope) = scope(&denial.scopes) {
            add("scope", &scope);
        }
    }
    Some(challenge)
}

/// As Envoy, but for the query, which may hold the token.
pub(super) fn envoy(reason: Reason, request: &Request) -> Option<String> {
    let error = match (reason, reason.challenge()) {
        (_, Challenge::Bare) => None,
        // Envoy has it that a token is bad whose keys can't be had.
        (Reason::KeysUnavailable, _) | (_, Challenge::InvalidToken) => Some("invalid_token"),
        (_, Challenge::None | Challenge::InsufficientScope) => return None,
    };
    let original = request.values("x-envoy-original-path").next().unwrap_or(request.target());
    let path = original.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let path = path.get(..ENVOY_REALM_PATH).unwrap_or(path);
    let realm = quotable(&[request.scheme(), b"://", request.authority(), path].concat());
    Some(bearer(&realm, error))
}

fn bearer(realm: &str, error: Option<&str>) -> String {
    let error = error.map(|error| format!(", error=\"{error}\"")).unwrap_or_default();
    format!("Bearer realm=\"{realm}\"{error}")
}

/// The scopes as one value; none if one of them can't be said, for a part would send the client away with too little.
fn scope(scopes: &[String]) -> Option<String> {
    let is_token = |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte != b' ' && is_quotable(byte));
    (!scopes.is_empty() && scopes.iter().all(is_token)).then(|| scopes.join(" "))
}

/// What of a client's bytes may stand between quotes as it is; the rest is left out.
fn quotable(bytes: &[u8]) -> String {
    let kept = bytes.iter().copied().filter(|byte| *byte != b' ' && is_quotable(*byte));
    String::from_utf8(kept.collect()).unwrap_or_default()
}

/// Printable ASCII that ends no quoted string and escapes nothing in it (RFC 6750 section 3, RFC 9110 section 5.6.4).
fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')
}
