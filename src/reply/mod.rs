//! What the client sees of a denial: RFC 6750 by default, or byte for byte what Envoy's `jwt_authn` answers.
//!
//! Nothing of a token is in it, and nothing of the query.

mod accept;
mod body;
mod challenge;
pub mod cors;
mod grpc;
pub mod help;

use crate::{denial::Denial, request::Request};
use body::Body;
pub use challenge::Realm;
use cors::Cors;

/// `errors`: how denials are worded.
#[derive(Debug, Default)]
pub struct Errors {
    /// Whose words.
    pub style: Style,
    /// What the challenge calls the protected space; by default the authority of the request.
    pub realm: Option<Realm>,
    /// How much the client is told.
    pub details: Details,
    /// Which pages of other origins may read a denial.
    pub cors: Option<Cors>,
}

/// `errors.style`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Style {
    /// RFC 6750 section 3, with the reason.
    #[default]
    Rfc6750,
    /// Envoy's words.
    Istio,
}

/// `errors.details`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Details {
    /// What the status says.
    None,
    #[default]
    Reason,
    /// Why, and what would have been accepted.
    Full,
}

/// An answer that claimgate gives itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, or to gRPC the message.
    pub body: String,
    /// To gRPC, its status: the proxy then answers with 200 and trailers only.
    pub grpc_status: Option<u8>,
    /// For `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
}

impl Reply {
    /// The answer to a request that is refused for this reason; `help` is told only in full.
    pub fn denial(denial: &Denial, help: &[String], errors: &Errors, request: &Request) -> Self {
        let reason = denial.reason;
        let (status, body, challenge) = match errors.style {
            Style::Rfc6750 => {
                let body = Body::of(denial, help, errors.details);
                (reason.status(), body, challenge::rfc6750(denial, errors, request))
            }
            Style::Istio => {
                let (status, words) = reason.envoy();
                (status, Body::Words(words), challenge::envoy(reason, request))
            }
        };
        let grpc_status = grpc::is_grpc(request).then(|| grpc::status(status));
        // The proxy itself says the type of a gRPC message.
        let (kind, body) = if grpc_status.is_some() { (None, body.line()) } else { body.negotiated(status, request) };
        let mut headers = Vec::new();
        headers.extend(kind.map(|kind| ("content-type", kind.to_owned())));
        headers.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        if errors.style == Style::Rfc6750 {
            // At least a second: who is told to try at once does so.
            let seconds = denial.retry_after.map(|span| span.as_secs().saturating_add(1));
            headers.extend(seconds.map(|seconds| ("retry-after", seconds.to_string())));
        }
        headers.extend(errors.cors.iter().flat_map(|cors| cors.headers(request)));
        let rule = denial.rule.as_ref().map(|rule| format!(":{rule}")).unwrap_or_default();
        Self { status, headers, body, grpc_status, details: format!("claimgate_denied{{{}}}{rule}", reason.code()) }
    }
}
