//! What is told of a token: who issued it to whom, for what and until when, and how it was signed (RFC 7519 section 4.1, RFC
//! 7515 section 4.1). Nothing else it says, and never the token.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    claims::{self, Claims},
    encoding::base64url,
    jose::json,
    reason::Registered,
    time::UnixTime,
};

/// The summary of one token, each as far as it is there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokenSummary<'a> {
    pub iss: Option<Cow<'a, str>>,
    pub sub: Option<Cow<'a, str>>,
    pub kid: Option<Cow<'a, str>>,
    pub alg: Option<Cow<'a, str>>,
    pub aud: Vec<Cow<'a, str>>,
    pub exp: Option<UnixTime>,
    pub jti: Option<Cow<'a, str>>,
}

impl<'a> TokenSummary<'a> {
    /// Those of a proven token.
    pub fn proven(claims: &'a Claims) -> Self {
        let header = claims.header();
        Self {
            iss: claims.issuer().map(Cow::Borrowed),
            sub: claims.subject().map(Cow::Borrowed),
            kid: header.kid.as_deref().map(Cow::Borrowed),
            alg: Some(Cow::Borrowed(header.alg.name())),
            aud: claims.audiences().iter().map(|audience| Cow::Borrowed(audience.as_str())).collect(),
            exp: claims.expires(),
            jti: claims.members().get("jti").and_then(Value::as_str).map(Cow::Borrowed),
        }
    }
}

impl TokenSummary<'static> {
    /// Those that a token claims, as far as its form is sound.
    pub fn claimed(token: &[u8]) -> Self {
        let mut segments = token.split(|byte| *byte == b'.');
        let mut object = || {
            let decoded = base64url::decode(segments.next()?)?;
            json::object(&decoded).ok()
        };
        let header = object().unwrap_or_default();
        let payload = object().unwrap_or_default();
        Self {
            iss: text(&payload, "iss"),
            sub: text(&payload, "sub"),
            kid: text(&header, "kid"),
            alg: text(&header, "alg"),
            aud: match payload.get("aud") {
                Some(Value::Array(list)) => list.iter().filter_map(owned).collect(),
                audience => audience.and_then(owned).into_iter().collect(),
            },
            exp: claims::numeric_date(&payload, Registered::Exp).ok().flatten(),
            jti: text(&payload, "jti"),
        }
    }
}

fn text(members: &Map<String, Value>, name: &str) -> Option<Cow<'static, str>> {
    members.get(name).and_then(owned)
}

fn owned(value: &Value) -> Option<Cow<'static, str>> {
    value.as_str().map(|text| Cow::Owned(text.to_owned()))
}
