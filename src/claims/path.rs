//! How a configuration names a claim: parsed once, walked for every token.

use std::fmt;

use serde_json::{Map, Value};

/// The way to one claim.
///
/// `email` and `https://example.com/roles` are names, `realm.roles` is first a name and then a way through `realm`,
/// `[realm_access][roles]` is a way whose steps are literal, dots and all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimPath {
    literal: Option<String>,
    steps: Vec<String>,
}

/// The text is no claim path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAClaimPath;

impl ClaimPath {
    /// The way to the claim of this name, whatever is in it.
    pub fn literal(name: &str) -> Self {
        Self { literal: Some(name.to_owned()), steps: Vec::new() }
    }

    /// Reads a path as it is written in a configuration.
    pub fn parse(text: &str) -> Result<Self, NotAClaimPath> {
        if text.starts_with('[') {
            let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or(NotAClaimPath)?;
            let steps: Vec<String> = inside.split("][").map(str::to_owned).collect();
            let sound = steps.iter().all(|step| !step.is_empty() && !step.contains(['[', ']']));
            return if sound { Ok(Self { literal: None, steps }) } else { Err(NotAClaimPath) };
        }
        if text.is_empty() {
            return Err(NotAClaimPath);
        }
        let steps: Vec<String> = text.split('.').map(str::to_owned).collect();
        let walkable = steps.len() > 1 && steps.iter().all(|step| !step.is_empty());
        Ok(Self { literal: Some(text.to_owned()), steps: if walkable { steps } else { Vec::new() } })
    }

    /// The claim at the end of the way, if a token has it.
    pub fn walk<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        if let Some(value) = self.literal.as_ref().and_then(|name| claims.get(name)) {
            return Some(value);
        }
        let (first, rest) = self.steps.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, step| value.as_object()?.get(step))
    }
}

impl fmt::Display for ClaimPath {
    /// As it is written in a configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.literal {
            Some(name) => f.write_str(name),
            None => self.steps.iter().try_for_each(|step| write!(f, "[{step}]")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(path: &str) -> Option<Value> {
        let claims = serde_json::json!({
            "email": "a", "realm": {"roles": ["r"], "a.b": 1}, "a.b": "literal", "a": {"b": "nested", "c": "d"},
            "https://example.com/x": true, "list": [{"a": 1}],
        });
        ClaimPath::parse(path).unwrap().walk(claims.as_object().unwrap()).cloned()
    }

    #[test]
    fn a_literal_name_wins_over_the_way() {
        assert_eq!(walked("email"), Some("a".into()));
        assert_eq!(walked("a.b"), Some("literal".into()));
        assert_eq!(walked("a.c"), Some("d".into()));
        assert_eq!(walked("https://example.com/x"), Some(true.into()));
        assert_eq!(walked("[a][b]"), Some("nested".into()));
        assert_eq!(walked("[realm][a.b]"), Some(1.into()));
        assert_eq!(walked("[a.b]"), Some("literal".into()));
    }

    #[test]
    fn a_way_that_ends_early_finds_nothing() {
        for path in ["none", "a.x", "email.x", "list.a", "[list][a]", "[a.c]", "a..b", ".a"] {
            assert_eq!(walked(path), None, "{path}");
        }
    }

    #[test]
    fn a_path_is_shown_as_it_is_written() {
        for path in ["email", "a.b", "https://example.com/x", "[a]", "[realm][a.b]"] {
            assert_eq!(ClaimPath::parse(path).unwrap().to_string(), path);
        }
    }

    #[test]
    fn brackets_are_whole() {
        for path in ["", "[", "[]", "[a", "[a]b", "[a][", "[a][]", "[a]]", "[[a]]"] {
            assert_eq!(ClaimPath::parse(path), Err(NotAClaimPath), "{path}");
        }
    }
}
