//! Why a request is denied: every reason with its code, its status and its words, defined here and nowhere else.
//!
//! The code is the same in the reply, the response-code details and the documentation, and never changes its meaning.

use std::fmt;

/// A registered claim (RFC 7519 section 4.1) that is there but not what it must be.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Registered {
    /// `iss`, a string.
    Iss,
    /// `sub`, a string.
    Sub,
    /// `jti`, a string.
    Jti,
    /// `aud`, a string or a list of strings.
    Aud,
    /// `exp`, a NumericDate.
    Exp,
    /// `nbf`, a NumericDate.
    Nbf,
    /// `iat`, a NumericDate.
    Iat,
}

impl Registered {
    /// The claim's name in a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Sub => "sub",
            Self::Jti => "jti",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
        }
    }
}

/// A denial. The order is the order of the checks, so the greatest of several is the most specific.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// Which rules apply depends on how the upstream reads the path.
    PathAmbiguous,
    /// A token is required and there is none.
    TokenMissing,
    /// Longer than `maxTokenBytes`.
    TokenTooLarge,
    /// Not three non-empty parts.
    TokenMalformed,
    /// The header is not strict base64url.
    HeaderEncoding,
    /// The header is not a strict JSON object.
    HeaderJson,
    /// `alg` is absent or not a string.
    AlgMissing,
    /// An unsecured token.
    AlgNone,
    /// An `alg` that claimgate does not verify.
    AlgUnsupported,
    /// `kid` is not a string.
    KidMalformed,
    /// `typ` is not a string.
    TypMalformed,
    /// `crit`, or `b64` other than `true`: an extension that must be understood and is not.
    CritUnsupported,
    /// The payload is not strict base64url.
    PayloadEncoding,
    /// The payload is not a strict JSON object.
    PayloadJson,
    /// The signature is not strict base64url.
    SignatureEncoding,
    /// No rule for this request names the token's issuer.
    IssuerUnknown,
    /// The rule does not allow the token's `alg`.
    AlgNotAllowed,
    /// No key fits the token's `kid` and `alg`.
    KeyUnknown,
    /// No fitting key verifies the signature.
    SignatureInvalid,
    /// A registered claim has the wrong form.
    ClaimMalformed(Registered),
    /// A NumericDate before the epoch, or too large.
    DateOutOfRange(Registered),
    /// The `typ` is another kind of token.
    TypeNotAllowed,
    /// `nbf` lies in the future.
    TokenNotYetValid,
    /// `exp` lies in the past.
    TokenExpired,
    /// `exp` is required and absent.
    ExpirationMissing,
    /// None of the rule's audiences is in `aud`.
    AudienceNotAllowed,
    /// `sub` matches none of the rule's subjects.
    SubjectNotAllowed,
    /// The token is valid for longer than `maxLifetime`.
    LifetimeTooLong,
    /// The keys that may prove the token are not available.
    KeysUnavailable,
    /// Too many requests wait for keys.
    TooManyWaiting,
    /// No ALLOW rule matches.
    PolicyNotAllowed,
    /// A DENY rule matches.
    PolicyDenied,
}

/// What RFC 6750 section 3.1 calls the failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// No credentials were sent: a bare challenge without an error.
    Bare,
    /// `error="invalid_token"`.
    InvalidToken,
    /// `error="insufficient_scope"`.
    InsufficientScope,
    /// Not about credentials: no challenge at all.
    None,
}

/// One row of the table: everything that is sent about one reason.
struct Row {
    code: &'static str,
    status: u16,
    challenge: Challenge,
    sentence: &'static str,
    /// Status and body of Envoy's `jwt_authn`.
    envoy: (u16, &'static str),
}

const FORM: &str = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";
const NO_KEY: &str = "Jwks doesn't have key to match kid or alg from Jwt";
const FAILS: &str = "Jwt verification fails";

impl Reason {
    /// Every reason; of the malformed claims each once.
    pub const ALL: [Self; 40] = [
        Self::PathAmbiguous,
        Self::TokenMissing,
        Self::TokenTooLarge,
        Self::TokenMalformed,
        Self::HeaderEncoding,
        Self::HeaderJson,
        Self::AlgMissing,
        Self::AlgNone,
        Self::AlgUnsupported,
        Self::KidMalformed,
        Self::TypMalformed,
        Self::CritUnsupported,
        Self::PayloadEncoding,
        Self::PayloadJson,
        Self::SignatureEncoding,
        Self::IssuerUnknown,
        Self::AlgNotAllowed,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::ClaimMalformed(Registered::Iss),
        Self::ClaimMalformed(Registered::Sub),
        Self::ClaimMalformed(Registered::Jti),
        Self::ClaimMalformed(Registered::Aud),
        Self::ClaimMalformed(Registered::Exp),
        Self::ClaimMalformed(Registered::Nbf),
        Self::ClaimMalformed(Registered::Iat),
        Self::DateOutOfRange(Registered::Exp),
        Self::DateOutOfRange(Registered::Nbf),
        Self::DateOutOfRange(Registered::Iat),
        Self::TypeNotAllowed,
        Self::TokenNotYetValid,
        Self::TokenExpired,
        Self::ExpirationMissing,
        Self::AudienceNotAllowed,
        Self::SubjectNotAllowed,
        Self::LifetimeTooLong,
        Self::KeysUnavailable,
        Self::TooManyWaiting,
        Self::PolicyNotAllowed,
        Self::PolicyDenied,
    ];

    /// The stable code: snake case, never reused for another meaning.
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// The HTTP status in style `rfc6750`.
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// What to put into `WWW-Authenticate`.
    pub const fn challenge(self) -> Challenge {
        self.row().challenge
    }

    /// Status and body in style `istio`.
    pub const fn envoy(self) -> (u16, &'static str) {
        self.row().envoy
    }

    #[rustfmt::skip]
    const fn row(self) -> Row {
        match self {
            Self::PathAmbiguous => Row {
                code: "path_ambiguous", status: 400, challenge: Challenge::None,
                sentence: "the path can be read in more than one way", envoy: (400, "Bad Request"),
            },
            Self::TokenMissing => Row {
                code: "token_missing", status: 401, challenge: Challenge::Bare,
                sentence: "a token is required", envoy: (401, "Jwt is missing"),
            },
            Self::TokenTooLarge => invalid("token_too_large", "the token is too large", FORM),
            Self::TokenMalformed => invalid("token_malformed", "the token is not a compact JWS of three parts", FORM),
            Self::HeaderEncoding => invalid(
                "header_encoding", "the header is not unpadded base64url", "Jwt header is an invalid Base64url encoded",
            ),
            Self::HeaderJson => invalid(
                "header_json", "the header is not a JSON object without duplicates", "Jwt header is an invalid JSON",
            ),
            Self::AlgMissing => invalid(
                "alg_missing", "the header has no alg", "Jwt header [alg] field is required and must be a string",
            ),
            Self::AlgNone => invalid("alg_none", "the token is not signed", FORM),
            Self::AlgUnsupported => invalid(
                "alg_unsupported", "the alg is not supported", "Jwt header [alg] is not supported",
            ),
            Self::KidMalformed => invalid(
                "kid_malformed", "the kid is not a string", "Jwt header [kid] field is not a string",
            ),
            Self::TypMalformed => invalid("typ_malformed", "the typ is not a string", "Jwt header is an invalid JSON"),
            Self::CritUnsupported => invalid(
                "crit_unsupported", "the header asks for an extension that is not supported", FAILS,
            ),
            Self::PayloadEncoding => invalid(
                "payload_encoding", "the payload is not unpadded base64url",
                "Jwt payload is an invalid Base64url encoded",
            ),
            Self::PayloadJson => invalid(
                "payload_json", "the payload is not a JSON object without duplicates", "Jwt payload is an invalid JSON",
            ),
            Self::SignatureEncoding => invalid(
                "signature_encoding", "the signature is not unpadded base64url",
                "Jwt signature is an invalid Base64url encoded",
            ),
            Self::IssuerUnknown => invalid(
                "issuer_unknown", "the issuer is not trusted here", "Jwt issuer is not configured",
            ),
            Self::AlgNotAllowed => invalid("alg_not_allowed", "the alg is not allowed here", NO_KEY),
            Self::KeyUnknown => invalid("key_unknown", "no key of the issuer fits the token's kid and alg", NO_KEY),
            Self::SignatureInvalid => invalid("signature_invalid", "the signature does not verify", FAILS),
            Self::ClaimMalformed(claim) => claim_malformed(claim),
            Self::DateOutOfRange(claim) => Row { envoy: (401, not_positive(claim)), ..claim_malformed(claim) },
            Self::TypeNotAllowed => invalid("type_not_allowed", "this kind of token is not accepted here", FAILS),
            Self::TokenNotYetValid => invalid("token_not_yet_valid", "the token is not valid yet", "Jwt not yet valid"),
            Self::TokenExpired => invalid("token_expired", "the token has expired", "Jwt is expired"),
            Self::ExpirationMissing => invalid("expiration_missing", "the token never expires", FAILS),
            Self::AudienceNotAllowed => Row {
                envoy: (403, "Audiences in Jwt are not allowed"),
                ..invalid("audience_not_allowed", "the token is meant for another audience", "")
            },
            Self::SubjectNotAllowed => invalid("subject_not_allowed", "the subject is not accepted here", FAILS),
            Self::LifetimeTooLong => invalid("lifetime_too_long", "the token is valid for too long", FAILS),
            Self::KeysUnavailable => Row {
                code: "keys_unavailable", status: 503, challenge: Challenge::None,
                sentence: "the issuer's keys are not available", envoy: (401, "Jwks remote fetch is failed"),
            },
            Self::TooManyWaiting => Row {
                code: "too_many_waiting", status: 503, challenge: Challenge::None,
                sentence: "too many requests wait for the issuer's keys", envoy: (503, "Service Unavailable"),
            },
            Self::PolicyNotAllowed => forbidden("policy_not_allowed", "no policy allows this request"),
            Self::PolicyDenied => forbidden("policy_denied", "a policy denies this request"),
        }
    }
}

impl fmt::Display for Reason {
    /// One sentence without what the client sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().sentence)
    }
}

const fn invalid(code: &'static str, sentence: &'static str, envoy: &'static str) -> Row {
    Row { code, status: 401, challenge: Challenge::InvalidToken, sentence, envoy: (401, envoy) }
}

const fn forbidden(code: &'static str, sentence: &'static str) -> Row {
    Row { code, status: 403, challenge: Challenge::InsufficientScope, sentence, envoy: (403, "RBAC: access denied") }
}

#[rustfmt::skip]
const fn claim_malformed(claim: Registered) -> Row {
    let (sentence, envoy) = match claim {
        Registered::Iss => ("the claim iss is not a string", "Jwt payload [iss] field is not a string"),
        Registered::Sub => ("the claim sub is not a string", "Jwt payload [sub] field is not a string"),
        Registered::Jti => ("the claim jti is not a string", "Jwt payload [jti] field is not a string"),
        Registered::Aud => (
            "the claim aud is not a string or a list of strings",
            "Jwt payload [aud] field is not a string or string list",
        ),
        Registered::Exp => ("the claim exp is not a NumericDate", "Jwt payload [exp] field is not an integer"),
        Registered::Nbf => ("the claim nbf is not a NumericDate", "Jwt payload [nbf] field is not an integer"),
        Registered::Iat => ("the claim iat is not a NumericDate", "Jwt payload [iat] field is not an integer"),
    };
    invalid("claim_malformed", sentence, envoy)
}

/// Only the three dates can be out of range.
const fn not_positive(claim: Registered) -> &'static str {
    match claim {
        Registered::Nbf => "Jwt payload [nbf] field is not a positive 64 bit integer",
        Registered::Iat => "Jwt payload [iat] field is not a positive 64 bit integer",
        _ => "Jwt payload [exp] field is not a positive 64 bit integer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They stand in `error_description` as they are (RFC 6750 section 3).
    #[test]
    fn every_sentence_can_be_quoted() {
        for reason in Reason::ALL {
            let sentence = reason.to_string();
            assert!(sentence.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte)), "{sentence}");
        }
    }
}
