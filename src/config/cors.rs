//! `cors`: the origins whose pages may read denials.

use regex_lite::Regex;

use super::{
    at::At,
    header_name::ReadHeader,
    shape::{Required, Text, Written, object},
};
use crate::reply::cors::{self, OriginPattern};

object! {
    /// The origins whose pages may read denials, as Istio's `CorsPolicy`.
    pub struct Cors:

    /// The origins: any of these, each with one of the three fields.
    pub allow_origins: Required<Vec<StringMatch>>,
    /// Whether they may read denials of requests with cookies.
    pub allow_credentials: bool = false,
    /// Headers of a denial that they may read besides `www-authenticate` and `retry-after`.
    pub expose_headers: Vec<ReadHeader>,
}

object! {
    /// A text to match, as Istio's `StringMatch`: one of these.
    pub struct StringMatch:

    /// An origin, `https://app.example.com`; `*` is every one.
    pub exact: Written<String>,
    /// How it begins. A prefix that does not end with a colon, as in `http://localhost:`, also matches other hosts, with a
    /// warning.
    pub prefix: Written<Text>,
    /// A regular expression for the whole of it.
    pub regex: Written<Regex>,
}

impl Cors {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>) -> cors::Cors {
        let written = self.allow_origins.value.unwrap_or_default();
        if written.is_empty() {
            let mut at = at.field("allowOrigins");
            at.error("it lists nothing, so no page could read").help("write `[{exact: https://app.example.com}]`");
        }
        let allow_origins = at.field("allowOrigins").each(written, StringMatch::origin);
        if self.allow_credentials && allow_origins.iter().any(|origin| matches!(origin, OriginPattern::Any)) {
            let mut at = at.field("allowCredentials");
            at.warn("every page may read denials of requests with cookies").help("list the origins that need it");
        }
        let expose_headers = self.expose_headers.into_iter().map(|ReadHeader(name)| name.as_str().to_owned()).collect();
        cors::Cors { allow_origins, allow_credentials: self.allow_credentials, expose_headers }
    }
}

impl StringMatch {
    fn origin(at: &mut At<'_>, written: Self) -> Option<OriginPattern> {
        let Self { exact, prefix, regex } = written;
        match (exact.is_written, prefix.is_written, regex.is_written) {
            (true, false, false) => exact.value.map(|exact| exact_origin(&mut at.field("exact"), exact)),
            (false, true, false) => prefix.value.map(|Text(prefix)| origin_prefix(&mut at.field("prefix"), prefix)),
            (false, false, true) => regex.value.map(OriginPattern::Regex),
            _ => {
                at.error("it needs one of `exact`, `prefix` and `regex`");
                None
            }
        }
    }
}

fn exact_origin(at: &mut At<'_>, exact: String) -> OriginPattern {
    if exact == "*" {
        return OriginPattern::Any;
    }
    let host = exact.split_once("://").map(|(_, host)| host);
    if exact != "null" && !host.is_some_and(|host| !host.is_empty() && !host.contains('/')) {
        at.wrong(&exact, "is not an origin").help("write `https://app.example.com`, without a path");
    }
    OriginPattern::Exact(exact)
}

fn origin_prefix(at: &mut At<'_>, prefix: String) -> OriginPattern {
    if !prefix.ends_with(':') {
        at.warn(format!("it also matches `{prefix}.example`")).help("write `exact`, or `regex` for several origins");
    }
    OriginPattern::Prefix(prefix)
}
