//! `errors`: the reply to a denied request.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    cors::Cors,
    shape::{Shape, object, words},
};
use crate::reply::{self, Details, Realm, Style};

object! {
    /// The reply to a denied request.
    pub struct Errors:

    /// `rfc6750`: status, challenge and reason of RFC 6750. `istio`: status, body and challenge of Envoy's `jwt_authn` and RBAC;
    /// one good token is enough.
    pub style: Style = Style::Rfc6750,
    /// The realm of the challenge: printable ASCII without `"` and `\`. Not in style `istio`. Default: host and port of the
    /// request.
    pub realm: Option<Realm>,
    /// How much the reply says. Not in style `istio`. Default: `reason`.
    pub details: Option<Details>,
    /// Whether pages of other origins may read a denial. Needs `cors`.
    pub cors: bool = false,
}

words!(Style: [("rfc6750", Style::Rfc6750), ("istio", Style::Istio)]);
words!(Details: [("none", Details::None), ("reason", Details::Reason), ("full", Details::Full)]);

/// `errors` and `cors`, which need each other.
pub(super) fn errors(at: &mut At<'_>, written: Errors, cors: Option<Cors>) -> reply::Errors {
    let cors = cors.map(|written| written.checked(&mut at.field("cors")));
    for (field, is_written) in [("realm", written.realm.is_some()), ("details", written.details.is_some())] {
        if is_written && written.style == Style::Istio {
            let (mut at, sentence) = (at.field("errors"), "style `istio` answers as Envoy does, and has no such field");
            at.field(field).error(sentence).help("leave it out");
        }
    }
    let cors = match (written.cors, cors) {
        (true, None) => {
            let (mut at, sentence) = (at.field("errors"), "there is no `cors`, so no origin may read");
            at.field("cors").error(sentence).help("write `cors.allowOrigins`");
            None
        }
        (false, Some(_)) => {
            at.field("cors").warn("it has no effect without `errors.cors`").help("write `errors: {cors: true}`");
            None
        }
        (_, cors) => cors,
    };
    reply::Errors { style: written.style, realm: written.realm, details: written.details.unwrap_or_default(), cors }
}

impl Shape for Realm {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let text = at.some_text(value)?;
        let realm = Self::parse(text.clone());
        if realm.is_none() {
            at.wrong(&text, "can't be written between quotes").help("use printable ASCII without `\"` and `\\`");
        }
        realm
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r#"^[ !#-\[\]-~]+$"#)
    }
}
