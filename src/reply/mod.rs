//! What the client sees of a refusal: RFC 6750 by default, or byte for byte what Envoy's `jwt_authn` answers.

use crate::{
    decision::{Challenge, Denial},
    policy::Refusal,
    request::Request,
};

/// Envoy cuts the path in its realm here, in bytes.
const ENVOY_REALM_PATH: usize = 256;

/// `errors.style`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Style {
    /// RFC 6750 section 3, with the reason.
    #[default]
    Rfc6750,
    /// Envoy's words.
    Istio,
}

/// An answer that claimgate gives itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// Plain text.
    pub body: String,
    /// For `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
}

impl Reply {
    /// The answer to a request that is refused for this reason.
    pub fn refusal(refusal: &Refusal, style: Style, request: &Request) -> Self {
        let denial = refusal.denial;
        let policy = refusal.policy.as_ref().map(|policy| format!(":{policy}")).unwrap_or_default();
        // At least a second: who is told to try at once does so.
        let retry_after = refusal.retry_after.map(|span| span.as_secs().saturating_add(1));
        let details = format!("claimgate_denied{{{}}}{policy}", denial.code());
        match style {
            Style::Rfc6750 => Self {
                status: denial.status(),
                challenge: rfc6750(refusal, request),
                retry_after,
                body: format!("{}: {denial}\n", denial.code()),
                details,
            },
            Style::Istio => {
                let (status, body) = denial.envoy();
                Self { status, challenge: envoy(denial, request), retry_after: None, body: body.to_owned(), details }
            }
        }
    }
}

fn rfc6750(refusal: &Refusal, request: &Request) -> Option<String> {
    let realm = quoted(request.authority());
    let denial = refusal.denial;
    match denial.challenge() {
        Challenge::None => None,
        Challenge::Bare => Some(format!("Bearer realm=\"{realm}\"")),
        Challenge::InvalidToken => {
            Some(format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{denial}\""))
        }
        Challenge::InsufficientScope if refusal.is_anonymous => None,
        Challenge::InsufficientScope => {
            let scopes: Vec<String> = refusal.scopes.iter().map(|scope| quoted(scope.as_bytes())).collect();
            let scope = if scopes.is_empty() { String::new() } else { format!(", scope=\"{}\"", scopes.join(" ")) };
            Some(format!(
                "Bearer realm=\"{realm}\", error=\"insufficient_scope\", error_description=\"{denial}\"{scope}"
            ))
        }
    }
}

/// As Envoy, but for the query, which may hold the token.
fn envoy(denial: Denial, request: &Request) -> Option<String> {
    let original = request.values("x-envoy-original-path").next().unwrap_or(request.target());
    let path = original.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let path = path.get(..ENVOY_REALM_PATH).unwrap_or(path);
    let realm = [&quoted(request.scheme()), "://", &quoted(request.authority()), &quoted(path)].concat();
    match (denial, denial.challenge()) {
        (_, Challenge::Bare) => Some(format!("Bearer realm=\"{realm}\"")),
        (Denial::KeysUnavailable, _) | (_, Challenge::InvalidToken) => {
            Some(format!("Bearer realm=\"{realm}\", error=\"invalid_token\""))
        }
        (_, Challenge::None | Challenge::InsufficientScope) => None,
    }
}

/// What may stand in a quoted string as it is (RFC 9110 section 5.6.4); the rest is left out.
fn quoted(bytes: &[u8]) -> String {
    bytes
        .iter()
        .filter(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        .map(|byte| char::from(*byte))
        .collect()
}
