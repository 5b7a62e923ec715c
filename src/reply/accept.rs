//! `Accept`: text or JSON (RFC 9110 section 12.5.1).

use crate::request::Request;

/// How closely a client named a type, and how much it wants it, in thousandths.
type Preference = (Closeness, u16);

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Closeness {
    Anything,
    Type,
    Exact,
}

/// Whether JSON is wanted more than text. Between equals the server may choose: JSON if it is named, for whoever names it
/// reads it.
pub(super) fn prefers_json(request: &Request) -> bool {
    let [mut text, mut json, mut problem]: [Option<Preference>; 3] = [None; 3];
    for range in request.values("accept").flat_map(|value| value.split(|byte| *byte == b',')) {
        let Some((range, quality)) = weighted(range) else { continue };
        for (best, kind) in
            [(&mut text, "text/plain"), (&mut json, "application/json"), (&mut problem, "application/problem+json")]
        {
            // The closest range decides.
            *best = (*best).max(closeness(range, kind.as_bytes()).map(|closeness| (closeness, quality)));
        }
    }
    let wanted = |preference: Option<Preference>| {
        preference.map_or((0, false), |(closeness, quality)| (quality, closeness == Closeness::Exact))
    };
    let ((text, _), (json, is_named)) = (wanted(text), wanted(json).max(wanted(problem)));
    json > text || json == text && json > 0 && is_named
}

/// How closely a media range names a type, if it does.
fn closeness(range: &[u8], kind: &[u8]) -> Option<Closeness> {
    let begins = |start: &[u8]| kind.get(..start.len()).is_some_and(|of_kind| of_kind.eq_ignore_ascii_case(start));
    match range.strip_suffix(b"*") {
        Some(b"*/") => Some(Closeness::Anything),
        Some(start) if start.ends_with(b"/") && begins(start) => Some(Closeness::Type),
        None if range.eq_ignore_ascii_case(kind) => Some(Closeness::Exact),
        _ => None,
    }
}

/// A media range and its weight; other parameters do not narrow it.
fn weighted(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let range = parts.next()?;
    let weight = parts.find_map(|parameter| parameter.strip_prefix(b"q=").or(parameter.strip_prefix(b"Q=")));
    Some((range, weight.map_or(Some(1000), quality)?))
}

/// `qvalue`: from 0 to 1, with at most three decimals.
fn quality(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = text.split_at_checked(1)?;
    let decimals = if decimals.is_empty() { decimals } else { decimals.strip_prefix(b".")? };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let thousandths = decimals.iter().zip([100, 10, 1]).map(|(digit, weight)| u16::from(digit - b'0') * weight).sum();
    match (whole, thousandths) {
        (b"0", _) => Some(thousandths),
        (b"1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_only_where_it_is_wanted() {
        for (accept, json) in [
            ("", false),
            ("*/*", false),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", false),
            ("application/json", true),
            ("application/problem+json", true),
            ("APPLICATION/JSON;charset=utf-8", true),
            ("application/*", true),
            ("application/json, text/plain, */*", true),
            ("application/json;q=0.5, text/plain", false),
            ("application/json;q=0.5, text/plain;q=0.499", true),
            ("application/json, */*;q=0.5", true),
            ("application/json;q=0, */*", false),
            ("application/json;q=0", false),
            ("application/*;q=0.1, application/json;q=0.9, text/*;q=0.5", true),
            ("text/plain;q=0, */*", true),
            ("application/json;q=2, text/plain;q=0.1", false),
            ("application/json;q=0.1234", false),
            ("application/json ; q=1.000", true),
            ("json", false),
            ("*", false),
            ("application/js*", false),
            (",;/,", false),
        ] {
            let request = Request::new(vec![("accept".to_owned(), accept.as_bytes().to_vec())]);
            assert_eq!(prefers_json(&request), json, "{accept}");
        }
    }
}
