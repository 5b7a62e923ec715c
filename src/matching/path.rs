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

/// What the proxy makes of a path before anybody sees it (Istio's `pathNormalization`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathNormalization {
    /// `NONE`: nothing.
    None,
    /// `BASE`: RFC 3986 and `\` for `/`.
    Base,
    /// `MERGE_SLASHES`: that, and `//` is `/`.
    MergeSlashes,
    /// `DECODE_AND_MERGE_SLASHES`: `%2F` and `%5C` are slashes, and then all of that.
    DecodeAndMergeSlashes,
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

    /// Whether this is how the client sent it.
    pub fn is_raw(&self) -> bool {
        self.depth == Depth::Raw
    }

    /// Whether there is no path, as in `CONNECT`.
    pub fn is_missing(&self) -> bool {
        self.path.is_empty()
    }
}

/// Every reading of a request target; for a plain path, and for one that is missing, just the one.
pub fn readings(target: &[u8]) -> Vec<Reading<'_>> {
    let path = path(target);
    let raw = Reading { depth: Depth::Raw, path: Cow::Borrowed(path) };
    if path.is_empty() || is_plain(path) {
        return vec![raw];
    }
    let normal = resolve(&turn(&decode(path, is_unreserved)), false);
    let eager = resolve(&drop_parameters(&turn(&percent_decode(path).collect::<Vec<u8>>())), true);
    vec![
        raw,
        Reading { depth: Depth::Normal, path: Cow::Owned(normal) },
        Reading { depth: Depth::Eager, path: Cow::Owned(eager) },
    ]
}

/// The one reading of a request target that a proxy with this setting and everything behind it agree on.
pub fn reading(target: &[u8], normalization: PathNormalization) -> Reading<'_> {
    let path = path(target);
    let merge = match normalization {
        PathNormalization::Base => false,
        PathNormalization::MergeSlashes | PathNormalization::DecodeAndMergeSlashes => true,
        PathNormalization::None => return Reading { depth: Depth::Raw, path: Cow::Borrowed(path) },
    };
    if path.is_empty() || is_plain(path) {
        return Reading { depth: Depth::Raw, path: Cow::Borrowed(path) };
    }
    let decoded = decode(path, |byte| match normalization {
        PathNormalization::DecodeAndMergeSlashes => is_unreserved(byte) || matches!(byte, b'/' | b'\\'),
        _ => is_unreserved(byte),
    });
    Reading { depth: Depth::Normal, path: Cow::Owned(resolve(&turn(&decoded), merge)) }
}

/// The text of a pattern as servers read it: what never needed encoding is decoded.
#[inline(never)]
pub fn unencoded(text: &str) -> String {
    String::from_utf8(decode(text.as_bytes(), is_unreserved)).unwrap_or_else(|_| text.to_owned())
}

/// A request target without query and fragment.
fn path(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

/// Nothing in it that two servers could disagree about.
fn is_plain(path: &[u8]) -> bool {
    path.iter().all(|byte| !matches!(byte, b'%' | b';') && (*byte == b'/' || is_uri(&[*byte])))
        && !path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

fn turn(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// RFC 3986 section 6.2.2.2: what never needed encoding.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes the triplets of these bytes.
fn decode(path: &[u8], is_decoded: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(byte) = rest.get(..3).filter(|_| *first == b'%').and_then(|triplet| percent_decode(triplet).next())
            && is_decoded(byte)
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

/// A path of a configuration: Istio's string match, or a template of `{*}` (one segment), `{**}` (any number, the last
/// wildcard) and `{name}` (one segment, to be compared with something).
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
    /// A brace that is not `{*}`, `{**}` or `{name}` alone in its segment, or a wildcard behind `{**}`, or `*` beside them.
    Template,
    /// One name for two segments, of which only one could be compared.
    Names,
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
    Named(String),
    Rest,
}

impl Segment {
    fn is(&self, segment: &[u8]) -> bool {
        matches!(self, Self::Literal(literal) if literal == segment)
    }
}

/// What the named segments of a template matched.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Captures<'r>(Vec<(&'r str, &'r [u8])>);

impl<'r> Captures<'r> {
    /// The segment that matched `{name}`.
    pub fn value(&self, name: &str) -> Option<&'r [u8]> {
        self.0.iter().find(|(named, _)| *named == name).map(|(_, segment)| *segment)
    }
}

/// What a path must be or begin with for a pattern to match it in any reading.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PathKey<'p> {
    /// This path and no other.
    Exact(&'p [u8]),
    /// Paths that begin so.
    Beginning(Vec<u8>),
    /// Nothing can be said.
    Any,
}

impl PathPattern {
    /// Reads a path pattern.
    pub fn parse(text: &str) -> Result<Self, NotAPathPattern> {
        Self::read(text, Pattern::parse)
    }

    /// Reads a path pattern as istiod does: a `*` that is no wildcard stands for itself ([`Pattern::lenient`]).
    pub fn lenient(text: &str) -> Result<Self, NotAPathPattern> {
        Self::read(text, |text| Pattern::lenient(text).ok_or(NotAPattern::Empty))
    }

    fn read(text: &str, plain: impl Fn(&str) -> Result<Pattern, NotAPattern> + Copy) -> Result<Self, NotAPathPattern> {
        let decoded = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned());
        Ok(Self {
            raw: Form::parse(text, plain)?,
            normal: Form::parse(&unencoded(text), plain)?,
            eager: Form::parse(&decoded(percent_decode(text.as_bytes()).collect()), plain)?,
        })
    }

    /// Whether a `*` stands for itself in it.
    pub fn has_literal_star(&self) -> bool {
        matches!(&self.raw, Form::Plain(pattern) if pattern.has_literal_star())
    }

    /// Whether it matches every path, and no path too.
    pub fn is_any(&self) -> bool {
        self.raw == Form::Plain(Pattern::Present)
    }

    /// Whether some path matches it in every reading. One that `//`, `;`, `\` or a dot segment is written in has none.
    pub fn is_readable(&self) -> bool {
        let text: Vec<u8> = match &self.raw {
            Form::Plain(Pattern::Present) => return true,
            Form::Plain(Pattern::Exact(text)) => text.as_bytes().to_vec(),
            Form::Plain(Pattern::Prefix(text)) => [text.as_bytes(), b"x"].concat(),
            Form::Plain(Pattern::Suffix(text)) => [b"/", text.trim_start_matches('/').as_bytes()].concat(),
            Form::Template(segments) => {
                let shown = |segment: &Segment| match segment {
                    Segment::Literal(literal) => literal.clone(),
                    _ => b"x".to_vec(),
                };
                [b"/", segments.iter().map(shown).collect::<Vec<_>>().join(&b'/').as_slice()].concat()
            }
        };
        readings(&text).iter().all(|reading| self.matches(reading))
    }

    /// Whether a path matches, the pattern decoded as deeply as the path.
    pub fn matches(&self, reading: &Reading<'_>) -> bool {
        self.captures(reading).is_some()
    }

    /// What the template's names stand for, if a path matches.
    pub fn captures<'r>(&'r self, reading: &'r Reading<'_>) -> Option<Captures<'r>> {
        match reading.depth {
            Depth::Raw => self.raw.captures(&reading.path, is_uri),
            Depth::Normal => self.normal.captures(&reading.path, is_uri),
            // What was encoded may be anything.
            Depth::Eager => self.eager.captures(&reading.path, |_| true),
        }
    }

    /// The names of the template.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let segments: &[Segment] = match &self.raw {
            Form::Template(segments) => segments,
            Form::Plain(_) => &[],
        };
        segments.iter().filter_map(|segment| match segment {
            Segment::Named(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Where to look for the pattern.
    pub fn key(&self) -> PathKey<'_> {
        if self.raw != self.normal || self.raw != self.eager {
            return PathKey::Any;
        }
        match &self.raw {
            Form::Plain(Pattern::Exact(path)) => PathKey::Exact(path.as_bytes()),
            Form::Plain(Pattern::Prefix(path)) => PathKey::Beginning(path.as_bytes().to_vec()),
            Form::Plain(Pattern::Suffix(_) | Pattern::Present) => PathKey::Any,
            Form::Template(segments) => {
                let literals = segments.iter().map_while(|segment| match segment {
                    Segment::Literal(literal) => Some(literal.as_slice()),
                    _ => None,
                });
                let mut beginning = vec![b'/'];
                for literal in literals {
                    beginning.extend(literal);
                    beginning.push(b'/');
                }
                PathKey::Beginning(beginning)
            }
        }
    }
}

impl Form {
    fn parse(text: &str, plain: impl Fn(&str) -> Result<Pattern, NotAPattern>) -> Result<Self, NotAPathPattern> {
        if !text.contains(['{', '}']) {
            return plain(text).map(Self::Plain).map_err(NotAPathPattern::Pattern);
        }
        let path = text.strip_prefix('/').ok_or(NotAPathPattern::Template)?;
        let mut segments = Vec::new();
        for segment in path.split('/') {
            let is_last_wildcard = segments.contains(&Segment::Rest);
            segments.push(match segment {
                wildcard if is_last_wildcard && wildcard.contains(['{', '}', '*']) => {
                    return Err(NotAPathPattern::Template);
                }
                "{*}" => Segment::One,
                "{**}" => Segment::Rest,
                name if is_name(name) => {
                    let name = name.trim_matches(['{', '}']);
                    if segments.iter().any(|known| matches!(known, Segment::Named(known) if known == name)) {
                        return Err(NotAPathPattern::Names);
                    }
                    Segment::Named(name.to_owned())
                }
                literal if literal.contains(['{', '}', '*']) => return Err(NotAPathPattern::Template),
                literal => Segment::Literal(literal.as_bytes().to_vec()),
            });
        }
        Ok(Self::Template(segments))
    }

    /// What the names stand for, if the path matches and wildcards take such segments.
    fn captures<'r>(&'r self, path: &'r [u8], takes: fn(&[u8]) -> bool) -> Option<Captures<'r>> {
        let mut captures = Captures::default();
        let template = match self {
            Self::Plain(pattern) => return pattern.matches(path).then_some(captures),
            Self::Template(segments) => segments,
        };
        let mut segments = path.strip_prefix(b"/")?.split(|byte| *byte == b'/');
        for (index, wanted) in template.iter().enumerate() {
            let segment = segments.next()?;
            match wanted {
                Segment::Rest => {
                    // Whatever it takes, the literals behind it are the end of the path.
                    let end = template.get(index + 1..).unwrap_or_default();
                    let rest: Vec<&[u8]> = segments.collect();
                    let tail = rest.len().checked_sub(end.len()).and_then(|start| rest.get(start..))?;
                    let ends = end.iter().zip(tail).all(|(wanted, segment)| wanted.is(segment));
                    let taken = rest.iter().take(rest.len() - tail.len()).chain([&segment]);
                    return (ends && taken.copied().all(takes)).then_some(captures);
                }
                Segment::One if !segment.is_empty() && takes(segment) => (),
                Segment::Named(name) if !segment.is_empty() && takes(segment) => {
                    captures.0.push((name.as_str(), segment));
                }
                Segment::Literal(literal) if literal == segment => (),
                _ => return None,
            }
        }
        segments.next().is_none().then_some(captures)
    }
}

/// What a wildcard of a template takes, in Envoy as in RFC 3986 section 3.3: a segment of a URI.
fn is_uri(segment: &[u8]) -> bool {
    segment.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;:@=".contains(byte))
}

fn is_name(segment: &str) -> bool {
    let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
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
    fn a_setting_names_one_reading() {
        use PathNormalization::{Base, DecodeAndMergeSlashes, MergeSlashes, None};
        for (target, expected) in [
            ("/a/b?c=//", ["/a/b"; 4]),
            ("/store//cart", ["/store//cart", "/store//cart", "/store/cart", "/store/cart"]),
            ("/files/a%2Fb", ["/files/a%2Fb", "/files/a%2Fb", "/files/a%2Fb", "/files/a/b"]),
            ("/files/..%5Cb", ["/files/..%5Cb", "/files/..%5Cb", "/files/..%5Cb", "/b"]),
            ("/a/../%61;b", ["/a/../%61;b", "/a;b", "/a;b", "/a;b"]),
            ("/%252F", ["/%252F"; 4]),
            ("", [""; 4]),
        ] {
            for (normalization, expected) in [None, Base, MergeSlashes, DecodeAndMergeSlashes].into_iter().zip(expected)
            {
                let reading = reading(target.as_bytes(), normalization);
                assert_eq!(str::from_utf8(reading.path()).unwrap(), expected, "{target} {normalization:?}");
            }
        }
    }

    #[test]
    fn a_pattern_that_no_path_matches_in_every_reading_is_known() {
        for pattern in ["/a", "*", "/a*", "*.json", "*/z", "/a/{*}/{**}", "/a%20b", "/a.b"] {
            assert!(PathPattern::lenient(pattern).unwrap().is_readable(), "{pattern}");
        }
        for pattern in ["/a//b", "/a;b", "/a/../b", "/a;b*", "/a//{*}", r"/a\b"] {
            assert!(!PathPattern::lenient(pattern).unwrap().is_readable(), "{pattern}");
        }
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
            ("/a/{**}/b", "/a/x/b", true),
            ("/a/{**}/b", "/a/x/y/b", true),
            ("/a/{**}/b", "/a/b", false),
            ("/a/{**}/b", "/a/x/c", false),
            ("/a/{**}/b", "/a/x/b/", false),
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
        for pattern in
            ["", "/{**}/{*}", "/{**}/a*", "/{x y}", "/{}", "/a{*}", "/{*}/b*", "{*}", "/*/a", "/{*", "/{x}/{x}"]
        {
            assert!(PathPattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
