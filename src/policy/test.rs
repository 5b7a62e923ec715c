//! One value of a rule, ready to be held against a fact.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::matching::pattern::Pattern;

/// Values that a fact must match, any of them, and values it must not match, none of them.
///
/// Istio's pair of a field and its `not…`. Without values everything matches, and a fact that is absent matches none.
#[derive(Clone, Debug)]
pub struct Values<T> {
    /// Any of these; none of them means all.
    pub any: Vec<T>,
    /// None of these.
    pub none: Vec<T>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { any: Vec::new(), none: Vec::new() }
    }
}

impl<T> Values<T> {
    /// Whether a fact is as it must be, given how it is held against one value.
    pub fn hold(&self, matches: impl Fn(&T) -> bool) -> bool {
        (self.any.is_empty() || self.any.iter().any(&matches)) && !self.none.iter().any(&matches)
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.any.is_empty() && self.none.is_empty()
    }
}

/// A `requestPrincipals` value: patterns for `iss` and `sub`, which are split at the last slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrincipalPattern {
    issuer: Pattern,
    subject: Pattern,
}

impl PrincipalPattern {
    /// Reads a value as istiod does; `None` for an empty text.
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

    /// Whether a `*` stands for itself in it.
    pub fn has_literal_star(&self) -> bool {
        self.issuer.has_literal_star() || self.subject.has_literal_star()
    }

    /// Whether a token's issuer and subject match; it must have both.
    pub fn matches(&self, issuer: Option<&str>, subject: Option<&str>) -> bool {
        issuer.is_some_and(|issuer| self.issuer.matches(issuer))
            && subject.is_some_and(|subject| self.subject.matches(subject))
    }
}

/// A `serviceAccounts` value: `<namespace>/<name>`, or `<name>` in the policy's own namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceAccount {
    /// The namespace.
    pub namespace: String,
    /// The account.
    pub name: String,
}

/// Whether an address is in a block; an IPv4 address that came mapped into IPv6 is itself.
pub fn contains(block: &IpNet, address: IpAddr) -> bool {
    block.contains(&address.to_canonical())
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
            let matches = PrincipalPattern::parse(pattern).unwrap().matches(Some(issuer), Some("alice"));
            assert_eq!(matches, expected, "{pattern}");
        }
        let any = PrincipalPattern::parse("*").unwrap();
        assert!(
            !any.matches(Some(issuer), None) && !any.matches(None, Some("alice")) && !any.matches(Some(""), Some("a"))
        );
        assert!(PrincipalPattern::parse("").is_none());
        for pattern in ["*/*", "a*b", "*.example.com/al*"] {
            assert!(PrincipalPattern::parse(pattern).unwrap().has_literal_star(), "{pattern}");
        }
    }
}
