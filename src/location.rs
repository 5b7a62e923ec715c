//! Where a token may be on a request, and how to take it out again without touching anything else.

use std::{borrow::Cow, iter, rc::Rc};

use percent_encoding::percent_decode;

use crate::request::{HeaderEdit, HeaderName, Request};

/// One place to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// A header, behind a prefix.
    Header {
        /// The header. What an upstream may take for it is read and taken out like it.
        name: HeaderName,
        /// What stands before the token, such as `bearer `, in lower case: schemes have no case (RFC 9110 section 11.1).
        prefix: String,
    },
    /// A query parameter (RFC 6750 section 2.3).
    Query {
        /// Decoded.
        name: String,
    },
    Cookie {
        /// Case-sensitive, as cookies are.
        name: String,
    },
}

/// One token of a request, by where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Where to look.
    pub location: Rc<Location>,
    /// Which of the tokens there.
    pub occurrence: usize,
}

impl Place {
    /// The token, if this is the request it is in.
    pub fn token<'a>(&'a self, request: &'a Request) -> Option<Cow<'a, [u8]>> {
        self.location.tokens(request).into_iter().nth(self.occurrence)
    }
}

impl Location {
    /// Where Istio and Envoy look when a rule does not say: `Authorization: Bearer …`, then `?access_token=…`.
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Header { name: HeaderName::new("authorization"), prefix: "bearer ".to_owned() },
            Self::Query { name: "access_token".to_owned() },
        ]
    }

    /// Every token here. A place that is there and empty holds an (unusable) token; it is not absent.
    pub fn tokens<'a>(&'a self, request: &'a Request) -> Vec<Cow<'a, [u8]>> {
        match self {
            Self::Header { name, prefix } => request
                .headers()
                .filter(|(present, _)| name.is(present))
                .filter_map(|(_, value)| lines(value).find_map(|lines| behind(prefix.as_bytes(), lines)))
                .map(|token| Cow::Borrowed(token.trim_ascii()))
                .collect(),
            Self::Query { name } => {
                query(request.target()).filter_map(|parameter| in_parameter(parameter, name)).collect()
            }
            Self::Cookie { name } => {
                request.values("cookie").flat_map(cookie_pairs).filter_map(|pair| in_pair(pair, name)).collect()
            }
        }
    }
}

/// The edits that take the tokens at these places out of a request: a header whole, a query parameter or a cookie alone.
pub fn removal(locations: &[&Location], request: &Request) -> Vec<HeaderEdit> {
    let mut edits = Vec::new();
    for location in locations {
        if let Location::Header { name, .. } = location {
            let twins =
                request.names().filter(|present| name.is(present)).map(|name| HeaderEdit::Remove(name.to_owned()));
            edits.extend(twins);
        }
    }
    let in_query = |parameter: &[u8]| {
        let is_here = |name: &str| in_parameter(parameter, name).is_some();
        locations.iter().any(|location| matches!(location, Location::Query { name } if is_here(name)))
    };
    if query(request.target()).any(in_query) {
        edits.push(HeaderEdit::Set(":path".to_owned(), without_parameters(request.target(), in_query)));
    }
    let in_cookie = |pair: &[u8]| {
        let is_here = |name: &str| in_pair(pair, name).is_some();
        locations.iter().any(|location| matches!(location, Location::Cookie { name } if is_here(name)))
    };
    if request.values("cookie").flat_map(cookie_pairs).any(in_cookie) {
        edits.push(HeaderEdit::Remove("cookie".to_owned()));
        let kept = request.values("cookie").map(|value| without_cookies(value, in_cookie));
        edits.extend(kept.filter(|value| !value.is_empty()).map(|value| HeaderEdit::Add("cookie".to_owned(), value)));
    }
    edits
}

/// Path, query and fragment, the latter two with their `?` and `#`.
fn split(target: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end = target.iter().position(|byte| *byte == b'#').unwrap_or(target.len());
    let (target, fragment) = target.split_at_checked(end).unwrap_or((target, b""));
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at_checked(end).unwrap_or((target, b""));
    (path, query, fragment)
}

fn query(target: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (_, query, _) = split(target);
    query.strip_prefix(b"?").into_iter().flat_map(|query| query.split(|byte| *byte == b'&'))
}

fn without_parameters(target: &[u8], unwanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (path, _, fragment) = split(target);
    let kept: Vec<&[u8]> = query(target).filter(|parameter| !unwanted(parameter)).collect();
    let question: &[u8] = if kept.is_empty() { b"" } else { b"?" };
    [path, question, &kept.join(&b'&'), fragment].concat()
}

/// The `name=value` pairs of one `Cookie` header (RFC 6265 section 4.2.1), spaces around them trimmed.
fn cookie_pairs(cookie: &[u8]) -> impl Iterator<Item = &[u8]> {
    cookie.split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

fn without_cookies(cookie: &[u8], unwanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let kept: Vec<&[u8]> = cookie.split(|byte| *byte == b';').filter(|pair| !unwanted(pair.trim_ascii())).collect();
    kept.join(&b';').trim_ascii().to_vec()
}

/// The token in a parameter of this name. Some servers split at `;` too: what is behind one is no token, so it is bad.
fn in_parameter<'a>(parameter: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    if is_named(parameter, name) {
        return Some(percent_decode(value_of(parameter)).into());
    }
    let is_hidden = parameter.split(|byte| *byte == b';').skip(1).any(|hidden| is_named(hidden, name));
    is_hidden.then_some(Cow::Borrowed(parameter))
}

/// The token in a cookie of this name. Some servers split at blanks and commas too: what is behind one is no token, so it is
/// bad.
fn in_pair<'a>(pair: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    let is_named = |pair: &[u8]| key_of(pair) == name.as_bytes();
    if is_named(pair) {
        return Some(Cow::Borrowed(unquoted(value_of(pair))));
    }
    let is_hidden = pair.split(|byte| *byte == b',' || !byte.is_ascii_graphic()).skip(1).any(is_named);
    is_hidden.then_some(Cow::Borrowed(pair))
}

/// Whether a parameter has this name, be `+` itself or a blank, as forms write it. Some servers trim the name.
fn is_named(parameter: &[u8], name: &str) -> bool {
    let key = key_of(parameter);
    let as_form: Vec<u8> = key.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(key).eq(name.bytes())
        || percent_decode(&as_form).collect::<Vec<u8>>().trim_ascii() == name.as_bytes()
}

fn key_of(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

fn value_of(pair: &[u8]) -> &[u8] {
    let equals = pair.iter().position(|byte| *byte == b'=');
    equals
        .and_then(|equals| pair.split_at_checked(equals))
        .map_or(b"", |(_, rest)| rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii())
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// A header, and what is behind each of its commas: there a line may begin that the proxy has joined to others (RFC 9110
/// section 5.3), as Envoy does for `Authorization`.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let commas = value.iter().enumerate().filter(|(_, byte)| **byte == b',').map(|(index, _)| index + 1);
    iter::once(0).chain(commas).map(|start| {
        let line = value.get(start..).unwrap_or_default();
        let blanks = line.iter().take_while(|byte| !byte.is_ascii_graphic()).count();
        line.get(blanks..).unwrap_or_default()
    })
}

/// What follows the prefix. A prefix alone, whose last blank the proxy has trimmed, is followed by an empty token.
///
/// Behind a scheme stands a space (RFC 9110 section 11.4). Servers split at more than that, so whatever they may take for a
/// blank ends the scheme here too: what follows is no token then, and the request is denied instead of anonymous.
fn behind<'a>(prefix: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let scheme = prefix.trim_ascii_end();
    let (start, rest) = value.split_at_checked(scheme.len())?;
    if !start.eq_ignore_ascii_case(scheme) {
        return None;
    }
    match rest {
        [] => Some(rest),
        _ if scheme.len() == prefix.len() => Some(rest),
        [first, ..] => (!first.is_ascii_graphic()).then_some(rest),
    }
}
