//! `errors` and `cors`: how denials are worded, and whose pages may read them.

use super::{At, headers::header_name, shown, when::expression};
use crate::{
    config::wire::{self, StringMatch},
    reply::{
        Details, Errors, Realm, Style,
        cors::{Cors, OriginPattern},
    },
};

pub(super) fn errors(at: &mut At<'_>, errors: Option<wire::Errors>, cors: Option<wire::Cors>) -> Errors {
    let written = errors.unwrap_or_default();
    let cors = cors.map(|written| self::cors(&mut at.field("cors"), written));
    let mut at_errors = at.field("errors");
    let styles = [("rfc6750", Style::Rfc6750), ("istio", Style::Istio)];
    let style = written.style.and_then(|word| at_errors.field("style").word(&word, &styles)).unwrap_or_default();
    for (field, is_written) in [("realm", written.realm.is_some()), ("details", written.details.is_some())] {
        if is_written && style == Style::Istio {
            let mut at = at_errors.field(field);
            at.report(at.problem("style `istio` says what Envoy says, and nothing else").help("leave it out"));
        }
    }
    let details = [("none", Details::None), ("reason", Details::Reason), ("full", Details::Full)];
    let details = written.details.and_then(|word| at_errors.field("details").word(&word, &details));
    let realm = written.realm.and_then(|written| realm(&mut at_errors.field("realm"), written));
    let cors = match (written.cors.unwrap_or(false), cors) {
        (true, None) => {
            let mut at = at_errors.field("cors");
            at.report(at.problem("no origin may read, for there is no `cors`").help("write `cors.allowOrigins`"));
            None
        }
        (false, Some(_)) => {
            let problem = at.field("cors").problem("it has no effect without `errors.cors`");
            at.report(problem.help("write `errors: {cors: true}`").warning());
            None
        }
        (_, cors) => cors,
    };
    Errors { style, realm, details: details.unwrap_or_default(), cors }
}

fn realm(at: &mut At<'_>, written: String) -> Option<Realm> {
    let text = at.text(written)?;
    let problem = at.problem(format!("{} can't stand between quotes", shown(&text)));
    let realm = Realm::parse(text);
    if realm.is_none() {
        at.report(problem.help("use printable ASCII without `\"` and `\\`"));
    }
    realm
}

fn cors(at: &mut At<'_>, written: wire::Cors) -> Cors {
    let allow_credentials = written.allow_credentials.unwrap_or(false);
    let allow_origins = at.field("allowOrigins").each(written.allow_origins, origin);
    if allow_origins.is_empty() {
        let mut at = at.field("allowOrigins");
        at.report(
            at.problem("it lists nothing, so no page could read").help("write `[{exact: https://app.example.com}]`"),
        );
    }
    if allow_credentials && allow_origins.iter().any(|origin| matches!(origin, OriginPattern::Any)) {
        let mut at = at.field("allowCredentials");
        let problem = at.problem("every page may see what a visitor's cookies lead to");
        at.report(problem.help("list the origins that may").warning());
    }
    let expose_headers = at
        .field("exposeHeaders")
        .each(written.expose_headers, |at, written| header_name(at, &written).map(|name| name.as_str().to_owned()));
    Cors { allow_origins, allow_credentials, expose_headers }
}

fn origin(at: &mut At<'_>, written: StringMatch) -> Option<OriginPattern> {
    match (written.exact, written.prefix, written.regex) {
        (Some(any), None, None) if any == "*" => Some(OriginPattern::Any),
        (Some(exact), None, None) => {
            let mut at = at.field("exact");
            let host = exact.split_once("://").map(|(_, host)| host);
            if exact != "null" && !host.is_some_and(|host| !host.is_empty() && !host.contains('/')) {
                let problem = at.problem(format!("{} is not an origin", shown(&exact)));
                at.report(problem.help("write `https://app.example.com`, without a path"));
            }
            Some(OriginPattern::Exact(exact))
        }
        (None, Some(prefix), None) => {
            let mut at = at.field("prefix");
            let prefix = at.text(prefix)?;
            if !prefix.ends_with(':') {
                let problem = at.problem(format!("it also lets in `{prefix}.example`, whoever that is"));
                at.report(problem.help("write `exact`, or `regex` for a whole family").warning());
            }
            Some(OriginPattern::Prefix(prefix))
        }
        (None, None, Some(regex)) => expression(&mut at.field("regex"), regex).map(OriginPattern::Regex),
        _ => {
            at.report(at.problem("it needs one of `exact`, `prefix` and `regex`"));
            None
        }
    }
}
