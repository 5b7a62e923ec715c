//! Paths, compared without query and fragment, on segment borders for templates, and in every way an upstream may read them.
//!
//! `/public/../admin` and `/a%2fb` mean one thing to one server and another to the next. So a path that can be read in
//! more than one way is matched in each of them, and whoever asks decides what disagreement means.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::pattern::{NotAPattern, Pattern};

/// How deeply a path is decoded before it is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Depth {
    /// As the client sent it.
    Raw,
    /// As Envoy's `normalize_path` leaves it: unreserved characters decoded, `\` turned, dot segments resolved (RFC 3986
    /// section 6.2.2).
    Normal,
    /// As the most eager server reads it: everything decoded, `;parameters` dropped, slashes merged.
    Eager,
}

/// A path as one kind of server reads it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading<'a> {
    depth: Depth,
    path: Cow<'a, [u8]>,
}

impl Reading<'_> {
    /// The path so read.
    pub fn path(&self) -> &[u8] {
        &self.path
    }
}

/// Every reading of a request target; for a plain path just the one.
pub fn readings(target: &[u8]) -> Vec<Reading<'_>> {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let path = target.get(..end).unwrap_or(target);
    let raw = Reading { depth: Depth::Raw, path: Cow::Borrowed(path) };
    if is_plain(path) {
        return vec![raw];
    }
    let normal = resolve(&turn(&decode_unreserved(path)), false);
    let eager = resolve(&drop_parameters(&turn(&percent_decode(path).collect::<Vec<u8>>())), true);
    vec![
        raw,
        Reading { depth: Depth::Normal, path: Cow::Owned(normal) },
        Reading { depth: Depth::Eager, path: Cow::Owned(eager) },
    ]
}

/// Nothing in it that two servers could disagree about.
fn is_plain(path: &[u8]) -> bool {
    !path.iter().any(|byte| matches!(byte, b'%' | b'\\' | b';'))
        && !path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

fn turn(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// RFC 3986 section 6.2.2.2: only what never needed encoding.
fn decode_unreserved(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(byte) = rest.get(..3).filter(|_| *first == b'%').and_then(|triplet| percent_decode(triplet).next())
            && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
        {
            decoded.push(byte);
            rest = rest.get(3..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    decoded
}

fn drop_parameters(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/');
    let bare: Vec<&[u8]> =
        segments.map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default()).collect();
    bare.join(&b'/')
}

/// RFC 3986 section 5.2.4, optionally merging slashes first.
fn resolve(path: &[u8], merge: bool) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    segments.next();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    kept.pop();
                }
                if last {
                    kept.push(b"");
                }
            }
            b"" if merge && !last => (),
            segment => kept.push(segment),
        }
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

/// A path of a configuration: Istio's string match, or a template of `{*}` (one segment) and `{**}` (the rest, only last).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathPattern {
    raw: Form,
    normal: Form,
    eager: Form,
}

/// The text is no path pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAPathPattern {
    /// Not even a string match.
    Pattern(NotAPattern),
    /// A brace that is not `{*}` or `{**}` alone in its segment, or `{**}` before the end, or `*` beside them.
    Template,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Form {
    Plain(Pattern),
    Template(Vec<Segment>),
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    Literal(Vec<u8>),
    One,
    Rest,
}

impl PathPattern {
    /// Reads a path pattern.
    pub fn parse(text: &str) -> Result<Self, NotAPathPattern> {
        let decoded = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned());
        Ok(Self {
            raw: Form::parse(text)?,
            normal: Form::parse(&decoded(decode_unreserved(text.as_bytes())))?,
            eager: Form::parse(&decoded(percent_decode(text.as_bytes()).collect()))?,
        })
    }

    /// Whether a path matches, the pattern decoded as deeply as the path.
    pub fn matches(&self, reading: &Reading<'_>) -> bool {
        match reading.depth {
            Depth::Raw => self.raw.matches(&reading.path),
            Depth::Normal => self.normal.matches(&reading.path),
            Depth::Eager => self.eager.matches(&reading.path),
        }
    }
}

impl Form {
    fn parse(text: &str) -> Result<Self, NotAPathPattern> {
        if !text.contains(['{', '}']) {
            return Pattern::parse(text).map(Self::Plain).map_err(NotAPathPattern::Pattern);
        }
        let path = text.strip_prefix('/').ok_or(NotAPathPattern::Template)?;
        let mut segments = Vec::new();
        for segment in path.split('/') {
            if segments.last() == Some(&Segment::Rest) {
                return Err(NotAPathPattern::Template);
            }
            segments.push(match segment {
                "{*}" => Segment::One,
                "{**}" => Segment::Rest,
                literal if literal.contains(['{', '}', '*']) => return Err(NotAPathPattern::Template),
                literal => Segment::Literal(literal.as_bytes().to_vec()),
            });
        }
        Ok(Self::Template(segments))
    }

    fn matches(&self, path: &[u8]) -> bool {
        let template = match self {
            Self::Plain(pattern) => return pattern.matches(path),
            Self::Template(segments) => segments,
        };
        let Some(path) = path.strip_prefix(b"/") else {
            return false;
        };
        let mut segments = path.split(|byte| *byte == b'/');
        for wanted in template {
            let matched = match (wanted, segments.next()) {
                (Segment::Rest, Some(_)) => return true,
                (Segment::One, Some(segment)) => !segment.is_empty(),
                (Segment::Literal(literal), Some(segment)) => literal == segment,
                (_, None) => false,
            };
            if !matched {
                return false;
            }
        }
        segments.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Vec<String> {
        let mut all: Vec<String> = readings(target.as_bytes())
            .iter()
            .map(|reading| String::from_utf8_lossy(reading.path()).into_owned())
            .collect();
        all.dedup();
        all
    }

    #[test]
    fn a_plain_path_has_one_reading() {
        assert_eq!(read("/a/b?c=/../d#e"), ["/a/b"]);
        assert_eq!(read("/a#b"), ["/a"]);
        assert_eq!(read("/"), ["/"]);
        assert_eq!(read("/a.b/c..d/"), ["/a.b/c..d/"]);
    }

    #[test]
    fn an_unclear_path_has_every_reading() {
        assert_eq!(read("/public/../admin"), ["/public/../admin", "/admin"]);
        assert_eq!(read("/public/%2e%2E/admin"), ["/public/%2e%2E/admin", "/admin"]);
        assert_eq!(read("/public/..%2fadmin"), ["/public/..%2fadmin", "/admin"]);
        assert_eq!(read("//admin//x"), ["//admin//x", "/admin/x"]);
        assert_eq!(read("/admin;a=b/x"), ["/admin;a=b/x", "/admin/x"]);
        assert_eq!(read("/%61dmin"), ["/%61dmin", "/admin"]);
        assert_eq!(read("/a\\b"), ["/a\\b", "/a/b"]);
        assert_eq!(read("/a/./b/.."), ["/a/./b/..", "/a/"]);
        assert_eq!(read("/../../x"), ["/../../x", "/x"]);
        assert_eq!(read("/a%"), ["/a%"]);
    }

    #[test]
    fn templates_end_on_segment_borders() {
        for (pattern, path, expected) in [
            ("/a/{*}", "/a/b", true),
            ("/a/{*}", "/a/b/c", false),
            ("/a/{*}", "/a/", false),
            ("/a/{**}", "/a/b/c", true),
            ("/a/{**}", "/a/", true),
            ("/a/{**}", "/a", false),
            ("/a/{**}", "/ab/c", false),
            ("/{*}/b/{**}", "/x/b/c/d", true),
            ("/a*", "/abc", true),
            ("*/z", "/a/z", true),
            ("/a%20b", "/a%20b", true),
        ] {
            let pattern_read = PathPattern::parse(pattern).unwrap();
            assert!(
                readings(path.as_bytes()).iter().all(|reading| pattern_read.matches(reading) == expected),
                "{pattern} {path}"
            );
        }
        for pattern in ["", "/{**}/a", "/{x}", "/a{*}", "/{*}/b*", "{*}", "/*/a", "/{*"] {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
