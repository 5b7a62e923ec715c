//! The JOSE header (RFC 7515 section 4): what a token says about its own signature, none of it believed yet.
//!
//! `jwk`, `jku`, `x5u` and `x5c` are never read: a token does not bring the key that proves it.

use serde_json::{Map, Value};

use crate::{jose::algorithm::Algorithm, reason::Reason};

/// The members that choose how a token is verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// The algorithm the token claims; whether it may is for the rule and the key to say.
    pub alg: Algorithm,
    /// Which key, if the issuer names its keys.
    pub kid: Option<String>,
    /// What kind of token this is (RFC 8725 section 3.11).
    pub typ: Option<String>,
}

impl Header {
    /// Reads the members we know and refuses what must be understood and is not.
    pub fn read(mut members: Map<String, Value>) -> Result<Self, Reason> {
        let alg = match members.get("alg") {
            Some(Value::String(name)) => Algorithm::named(name).ok_or(Reason::AlgUnsupported),
            _ => Err(Reason::AlgMissing),
        }?;
        // RFC 7515 section 4.1.11: an extension we do not know must not be ignored; we know none.
        if members.contains_key("crit") {
            return Err(Reason::CritUnsupported);
        }
        // RFC 7797 section 3: `true` says what goes without saying; anything else changes what is signed.
        if members.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
            return Err(Reason::CritUnsupported);
        }
        Ok(Self {
            alg,
            kid: text(members.get_mut("kid").map(Value::take)).ok_or(Reason::KidMalformed)?,
            typ: text(members.get_mut("typ").map(Value::take)).ok_or(Reason::TypMalformed)?,
        })
    }
}

/// Whether this is an Unsecured JWS (RFC 7518 section 3.6), in any spelling of `none`.
pub(super) fn is_unsecured(members: &Map<String, Value>) -> bool {
    matches!(members.get("alg"), Some(Value::String(name)) if name.eq_ignore_ascii_case("none"))
}

/// `None` for what is there and not a string.
fn text(member: Option<Value>) -> Option<Option<String>> {
    match member {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text)),
        Some(_) => None,
    }
}
