//! `<iss>/<sub>` of a token, as `requestPrincipals` writes it.

use crate::matching::pattern::Pattern;

/// Patterns for `iss` and `sub`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrincipalPattern {
    issuer: Pattern,
    subject: Pattern,
}

impl PrincipalPattern {
    /// Reads a value as istiod does, which splits it at the last slash; `None` for an empty text.
    pub fn parse(text: &str) -> Option<Self> {
        let exact = |text: &str| Pattern::Exact(text.to_owned());
        let any_or = |text: &str, other: fn(String) -> Pattern| match text {
            "" => Pattern::Present,
            text => other(text.to_owned()),
        };
        let (issuer, subject) = match (text.strip_prefix('*'), text.strip_suffix('*'), text.rsplit_once('/')) {
            _ if text.is_empty() => return None,
            _ if text == "*" => (Pattern::Present, Pattern::Present),
            (Some(_), _, Some((issuer, subject))) => {
                (any_or(issuer.strip_prefix('*').unwrap_or(issuer), Pattern::Suffix), exact(subject))
            }
            (Some(suffix), _, None) => (Pattern::Present, Pattern::Suffix(suffix.to_owned())),
            (_, Some(_), Some((issuer, subject))) => {
                (exact(issuer), any_or(subject.strip_suffix('*').unwrap_or(subject), Pattern::Prefix))
            }
            (_, Some(prefix), None) => (Pattern::Prefix(prefix.to_owned()), Pattern::Present),
            (_, _, Some((issuer, subject))) => (exact(issuer), exact(subject)),
            (_, _, None) => (exact(text), exact("")),
        };
        Some(Self { issuer, subject })
    }

    /// The same where a subject may have slashes: if no issuer that is named is what stands before the last slash, the
    /// longest one that the value begins with is, and `*/` is any.
    pub fn of_issuers(text: &str, issuers: &[String]) -> Option<Self> {
        let istio = Self::parse(text)?;
        if istio.may_be_of(issuers) {
            return Some(istio);
        }
        let subject =
            |issuer: &String| text.strip_prefix(issuer.as_str())?.strip_prefix('/').and_then(Pattern::lenient);
        let longest =
            issuers.iter().filter_map(|issuer| Some((issuer, subject(issuer)?))).max_by_key(|(issuer, _)| issuer.len());
        let any = || Some((Pattern::Present, Pattern::lenient(text.strip_prefix("*/")?)?));
        let read = longest.map(|(issuer, subject)| (Pattern::Exact(issuer.clone()), subject)).or_else(any);
        Some(read.map_or(istio, |(issuer, subject)| Self { issuer, subject }))
    }

    /// Whether tokens of one of these issuers can match.
    pub fn may_be_of(&self, issuers: &[String]) -> bool {
        issuers.iter().any(|issuer| self.issuer.matches(issuer))
    }

    /// What it takes for the issuer, if that is an exact text.
    pub fn issuer(&self) -> Option<&str> {
        match &self.issuer {
            Pattern::Exact(issuer) => Some(issuer),
            _ => None,
        }
    }

    /// Whether a `*` stands for itself in it.
    pub fn has_literal_star(&self) -> bool {
        self.issuer.has_literal_star() || self.subject.has_literal_star()
    }

    /// Whether a token's issuer and subject match.
    pub fn matches(&self, issuer: &str, subject: &str) -> bool {
        self.issuer.matches(issuer) && self.subject.matches(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_principals_split_at_the_last_slash() {
        let issuer = "https://idp.example.com/realm";
        for (pattern, expected) in [
            ("*", true),
            ("https://idp.example.com/realm/alice", true),
            ("https://idp.example.com/realm/*", true),
            ("https://idp.example.com/realm/al*", true),
            ("https://idp.example.com/realm/bob*", false),
            ("https://idp.example.com/*", false),
            ("*/alice", true),
            ("*/realm/alice", true),
            ("*realm/alice", true),
            ("*/bob", false),
            // Split at the slash, so this is the issuer `https:/` and a subject that begins with `idp`.
            ("https://idp*", false),
            ("*ice", true),
            ("alice", false),
        ] {
            let matches = PrincipalPattern::parse(pattern).unwrap().matches(issuer, "alice");
            assert_eq!(matches, expected, "{pattern}");
        }
        let any = PrincipalPattern::parse("*").unwrap();
        assert!(!any.matches(issuer, "") && !any.matches("", "alice"));
        assert!(PrincipalPattern::parse("").is_none());
        for pattern in ["*/*", "a*b", "*.example.com/al*"] {
            assert!(PrincipalPattern::parse(pattern).unwrap().has_literal_star(), "{pattern}");
        }
    }

    #[test]
    fn subjects_may_have_slashes_behind_an_issuer_that_is_named() {
        let issuers = ["https://token.example.com", "https://token.example.com/a", "spire"].map(str::to_owned);
        for (pattern, issuer, subject, expected) in [
            (
                "https://token.example.com/repo:org/app:ref/main",
                "https://token.example.com",
                "repo:org/app:ref/main",
                true,
            ),
            ("https://token.example.com/repo:org/*", "https://token.example.com", "repo:org/app", true),
            ("https://token.example.com/repo:org/*", "https://token.example.com", "repo:other/app", false),
            ("spire/spiffe://td/ns/a/sa/b", "spire", "spiffe://td/ns/a/sa/b", true),
            ("*/spiffe://td/ns/a/sa/b", "spire", "spiffe://td/ns/a/sa/b", true),
            // What is a principal in Istio's own reading stays that one.
            ("https://token.example.com/a/b", "https://token.example.com/a", "b", true),
            ("https://token.example.com/a/b", "https://token.example.com", "a/b", false),
            // The longest issuer.
            ("https://token.example.com/a/b/c", "https://token.example.com/a", "b/c", true),
            ("https://token.example.com/a/b/c", "https://token.example.com", "a/b/c", false),
            ("*/alice", "spire", "alice", true),
            ("https://other.example.com/alice", "https://other.example.com", "alice", true),
        ] {
            let matches = PrincipalPattern::of_issuers(pattern, &issuers).unwrap().matches(issuer, subject);
            assert_eq!(matches, expected, "{pattern} {issuer} {subject}");
        }
    }
}
