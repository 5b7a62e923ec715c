//! The headers, parameters and cookies a rule reads and the headers it writes.

use super::{At, shown};
use crate::{
    claims::{
        claim_header::{ClaimHeader, Format},
        path::ClaimPath,
    },
    config::wire::{ClaimToHeader, FromHeader},
    location::Location,
    reply::Style,
    request::HeaderName,
};

/// Headers that frame the message or route it: a claim there breaks the request.
const FRAMING: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Where a rule looks for tokens; Istio's two places if it does not say.
pub(super) fn locations(
    at: &mut At<'_>,
    headers: Option<Vec<FromHeader>>,
    params: Option<Vec<String>>,
    cookies: Option<Vec<String>>,
) -> Vec<Location> {
    let unsaid = [headers.as_ref().map(Vec::len), params.as_ref().map(Vec::len), cookies.as_ref().map(Vec::len)];
    if unsaid.into_iter().all(|length| length.unwrap_or(0) == 0) {
        return Location::defaults();
    }
    let mut locations = at.field("fromHeaders").each(headers, |at, written| {
        let mut at = at.field("name");
        let name = at.required(written.name)?;
        let name = header_name(&mut at, &name)?;
        if name.is("cookie") {
            at.report(at.problem("cookies are not read as a header").help("use `fromCookies`"));
        }
        Some(Location::Header { name, prefix: written.prefix.unwrap_or_default().to_ascii_lowercase() })
    });
    locations.extend(
        at.field("fromParams").each(params, |at, written| at.text(written).map(|name| Location::Query { name })),
    );
    locations.extend(at.field("fromCookies").each(cookies, |at, written| {
        let name = at.text(written)?;
        if name.contains(['=', ';', ' ', '\t']) {
            let problem = at.problem(format!("{} is not a cookie's name", shown(&name)));
            at.report(problem.help("leave out `=`, `;` and blanks"));
        }
        Some(Location::Cookie { name })
    }));
    locations
}

/// A header claimgate writes.
pub(super) fn output(at: &mut At<'_>, written: &str) -> Option<HeaderName> {
    let name = header_name(at, written)?;
    if FRAMING.iter().any(|framing| name.is(framing)) {
        let problem = at.problem(format!("{} belongs to HTTP itself", shown(written)));
        at.report(problem.help("choose a name of your own, such as `x-user`"));
        return None;
    }
    Some(name)
}

/// `outputClaimToHeaders`, each header once.
pub(super) fn claim_headers(
    at: &mut At<'_>,
    written: Option<Vec<ClaimToHeader>>,
    payload: Option<&HeaderName>,
    words: &[String],
    style: Style,
) -> Vec<ClaimHeader> {
    let mut taken: Vec<HeaderName> = payload.cloned().into_iter().collect();
    at.each(written, |at, written| {
        let header = at.field("header").required(written.header);
        let header = header.and_then(|written| output(&mut at.field("header"), &written));
        if let Some(header) = &header {
            if taken.contains(header) {
                let mut at = at.field("header");
                let problem = at.problem(format!("{} is written twice by this rule", shown(header.as_str())));
                at.report(problem.help("give every claim a header of its own; `-` and `_` count as the same"));
            }
            taken.push(header.clone());
        }
        let claim = at.field("claim").required(written.claim);
        let claim = claim.and_then(|written| claim_path(&mut at.field("claim"), &written));
        let formats = [
            ("comma", Format::Comma),
            ("space", Format::Space),
            ("json", Format::Json),
            ("base64json", Format::Base64Json),
        ];
        let is_words = claim.as_ref().is_some_and(|claim| words.iter().any(|name| claim.to_string() == *name));
        let format = match written.format {
            Some(written) => at.field("format").word(&written, &formats).unwrap_or(Format::Plain),
            None if style == Style::Istio => Format::Envoy,
            None => Format::Plain,
        };
        let format = if format == Format::Space && is_words { Format::Words } else { format };
        Some(ClaimHeader { header: header?, claim: claim?, format })
    })
}

fn claim_path(at: &mut At<'_>, written: &str) -> Option<ClaimPath> {
    let path = ClaimPath::parse(written);
    if path.is_err() {
        let problem = at.problem(format!("{} is not a claim", shown(written)));
        at.report(problem.help("write `email`, `realm.roles` or `[realm_access][roles]`"));
    }
    path.ok()
}

/// A header's name in lower case (RFC 9110 section 5.1, narrowed to what Istio takes).
pub(super) fn header_name(at: &mut At<'_>, written: &str) -> Option<HeaderName> {
    let sound =
        !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !sound {
        let problem = at.problem(format!("{} is not a header's name", shown(written)));
        at.report(problem.help("use letters, digits, `-` and `_`"));
    }
    sound.then(|| HeaderName::new(written))
}
