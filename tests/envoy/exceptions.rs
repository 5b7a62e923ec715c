//! Every difference between claimgate and Envoy's own filters that is wanted, in one place. Any other difference is a failure.

use claimgate_testing::policies::{CERTIFICATES, Question, San};
use serde_json::Value;

use crate::outgoing::{self, Place};

// === beside jwt_authn, situation by situation ===

/// Where claimgate differs from Envoy on purpose: the situation, Envoy's answer, claimgate's answer.
///
/// - Without an `alg` in the JWK, Envoy verifies by the key's type and ignores the token's `alg`.
/// - Envoy decodes the other parameters when it removes its own, and sends an invalid path.
/// - Envoy writes the claims of every token, so of one that is sent twice it writes them twice.
pub(crate) const JWT_AUTHN: [(&str, u16, u16); 3] = [
    ("a key of another kind", 200, 401),
    ("a query parameter among encoded ones", 503, 200),
    ("the same token twice", 200, 200),
];

// === beside jwt_authn and RBAC, what goes upstream ===

/// Where claimgate differs from Envoy on purpose: why, and whether a request is such a case.
pub(crate) type OfOutgoing = (&'static str, fn(&outgoing::Question) -> bool);

pub(crate) const OUTGOING: [OfOutgoing; 3] = [
    ("Envoy takes no token out of a cookie", |question| question.cookie == Place::Good),
    ("Envoy leaves a token that is bad beside a good one", |question| {
        question.header != Place::Empty && question.cookie == Place::Good
            || question.header == Place::Good && question.cookie != Place::Empty
    }),
    ("Envoy leaves tokens on a preflight, where no one judges them", |question| {
        question.is_preflight && (question.header != Place::Empty || question.cookie != Place::Empty)
    }),
];

// === beside RBAC, random policies ===

/// Why they differ, and whether a request to a set of policies is such a case.
pub(crate) type OfPolicies = (&'static str, fn(u64, &Value, &Question) -> bool);

/// Where claimgate may refuse what RBAC lets pass, and never the other way round.
pub(crate) const RBAC: [OfPolicies; 4] = [
    (
        "some servers take `get` for GET, so DENY matches in any case and `notMethods` under ALLOW too",
        |_, _, question| question.method != question.method.to_uppercase(),
    ),
    ("a host is the same in any case, also as a header", |_, policies, question| {
        let policies = policies.to_string();
        let asks = ["request.headers[host]", "request.headers[:authority]"].iter().any(|key| policies.contains(key));
        asks && !question.host.is_empty()
    }),
    ("a missing host escapes nothing that denies", |_, _, question| question.host.is_empty()),
    ("a SPIFFE ID behind another URI is not seen, so nothing about such a peer is sure", |set, _, question| {
        is_over_tls(set) && has_hidden_identity(question)
    }),
];

/// Every third set is asked by peers with certificates.
pub(crate) fn is_over_tls(set: u64) -> bool {
    set.is_multiple_of(3)
}

fn has_hidden_identity(question: &Question) -> bool {
    matches!(CERTIFICATES[question.certificate], [San::Uri(first), ..] if !first.starts_with("spiffe://"))
}
