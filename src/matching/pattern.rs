//! Istio's string match: exact, `prefix*`, `*suffix`, and `*` for anything that is not empty.

/// One pattern of a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pattern {
    /// `abc`.
    Exact(String),
    /// `abc*`.
    Prefix(String),
    /// `*abc`.
    Suffix(String),
    /// `*`: present and not empty.
    Present,
}

/// The text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAPattern {
    /// An empty string matches nothing a user could mean.
    Empty,
    /// A `*` that is not at one end, or more than one.
    Star,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let literal = |text: &str| if text.contains('*') { Err(NotAPattern::Star) } else { Ok(text.to_owned()) };
        match (text, text.strip_suffix('*'), text.strip_prefix('*')) {
            ("", _, _) => Err(NotAPattern::Empty),
            ("*", _, _) => Ok(Self::Present),
            (_, Some(prefix), _) => literal(prefix).map(Self::Prefix),
            (_, _, Some(suffix)) => literal(suffix).map(Self::Suffix),
            (exact, None, None) => literal(exact).map(Self::Exact),
        }
    }

    /// Reads a pattern as istiod does: one `*` at the start or else at the end is a wildcard, any other stands for itself.
    ///
    /// `None` for an empty text.
    pub fn lenient(text: &str) -> Option<Self> {
        match (text, text.strip_prefix('*'), text.strip_suffix('*')) {
            ("", _, _) => None,
            ("*", _, _) => Some(Self::Present),
            (_, Some(suffix), _) => Some(Self::Suffix(suffix.to_owned())),
            (_, _, Some(prefix)) => Some(Self::Prefix(prefix.to_owned())),
            (exact, None, None) => Some(Self::Exact(exact.to_owned())),
        }
    }

    /// Whether a `*` stands for itself in it.
    pub fn has_literal_star(&self) -> bool {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::Suffix(text) => text.contains('*'),
            Self::Present => false,
        }
    }

    /// Whether a value matches in upper or lower case or any mixture; `*` is anything, also nothing.
    pub fn matches_in_any_case(&self, value: &[u8]) -> bool {
        let is = |part: Option<&[u8]>, text: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(text.as_bytes()));
        match self {
            Self::Exact(text) => is(Some(value), text),
            Self::Prefix(text) => is(value.get(..text.len()), text),
            Self::Suffix(text) => is(value.len().checked_sub(text.len()).and_then(|start| value.get(start..)), text),
            Self::Present => true,
        }
    }

    /// Whether a value matches, case and all.
    pub fn matches(&self, value: impl AsRef<[u8]>) -> bool {
        let value = value.as_ref();
        match self {
            Self::Exact(text) => value == text.as_bytes(),
            Self::Prefix(text) => value.starts_with(text.as_bytes()),
            Self::Suffix(text) => value.ends_with(text.as_bytes()),
            Self::Present => !value.is_empty(),
        }
    }
}
