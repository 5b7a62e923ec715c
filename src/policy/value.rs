//! What an attribute must be: one value of a rule, read as its attribute has it, and held against the fact.

use std::{borrow::Cow, net::IpAddr};

use ipnet::{IpNet, Ipv4Net};
use regex_lite::Regex;

use super::{attribute::Attribute, principal::PrincipalPattern, trust_domain::TrustDomains};
use crate::{
    connection::PeerCertificate,
    matching::{glob::Glob, pattern::Pattern},
};

/// One value. Attributes make the kinds that their facts can be held against.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Pattern),
    /// Text that this expression describes as a whole.
    Expression(Regex),
    /// The text that stands elsewhere.
    Elsewhere(Origin),
    /// A number within these bounds.
    Range(Option<f64>, Option<f64>),
    /// A peer with such a name.
    Peer(PeerPattern),
    /// A token with such an issuer and subject.
    Principal(PrincipalPattern),
    /// An address in this block.
    Block(IpNet),
    Port(u16),
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Another attribute.
    Attribute(Attribute),
    /// A `{name}` of the rule's path.
    Capture(String),
}

/// What a name in a peer's certificate must be. Istio makes one regular expression of each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PeerPattern {
    /// A SPIFFE ID without its scheme; `*` is any name, also none of SPIFFE.
    Principal(Pattern),
    /// A name with `/ns/<namespace>/` in it.
    Namespace(Glob),
    /// A SPIFFE ID of this trust domain; none stands for any.
    TrustDomain(Option<Glob>),
    /// A SPIFFE ID of this service account.
    ServiceAccount { namespace: String, name: String },
}

/// Why a text is no value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotAValue {
    /// It is empty.
    Empty,
    /// No address and no block of addresses.
    Block,
    Port,
    /// No service account.
    ServiceAccount,
    /// Istio leaves `spiffe://` out; this is without.
    Scheme(String),
    /// No method: several, or one in lower case.
    Method,
    /// A principal of a token without a slash: no issuer, or no subject.
    Slash,
}

/// What a value may depend on beside its text.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'c> {
    /// The policy's namespace.
    pub namespace: &'c str,
    /// The issuers that rules name.
    pub issuers: &'c [String],
    /// The mesh's trust domain and its aliases.
    pub trust_domains: Option<&'c TrustDomains>,
    /// Style `istio`.
    pub text_only: bool,
}

impl Reader<'_> {
    pub(super) fn principals(&self, text: &str) -> Result<Vec<Value>, NotAValue> {
        if let Some(bare) = text.strip_prefix("spiffe://") {
            return Err(NotAValue::Scheme(bare.to_owned()));
        }
        let principals = self.trust_domains.map_or_else(|| vec![text.to_owned()], |known| known.principals(text));
        let patterns: Vec<Pattern> = principals.iter().filter_map(|text| Pattern::lenient(text)).collect();
        if patterns.is_empty() {
            return Err(NotAValue::Empty);
        }
        Ok(patterns.into_iter().map(|pattern| Value::Peer(PeerPattern::Principal(pattern))).collect())
    }

    pub(super) fn trust_domains(&self, text: &str) -> Result<Vec<Value>, NotAValue> {
        if text.is_empty() {
            return Err(NotAValue::Empty);
        }
        let domains = self.trust_domains.map_or_else(|| vec![text.to_owned()], |known| known.equivalents(text));
        let glob = |domain: &String| (domain != "*").then(|| Glob::new(domain));
        Ok(domains.iter().map(|domain| Value::Peer(PeerPattern::TrustDomain(glob(domain)))).collect())
    }

    pub(super) fn service_account(&self, text: &str) -> Result<Value, NotAValue> {
        let (namespace, name) = text.split_once('/').unwrap_or((self.namespace, text));
        if namespace.is_empty() || name.is_empty() || text.contains('*') || name.contains('/') {
            return Err(NotAValue::ServiceAccount);
        }
        Ok(Value::Peer(PeerPattern::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }))
    }

    pub(super) fn request_principal(&self, text: &str) -> Result<Value, NotAValue> {
        if self.text_only {
            return PrincipalPattern::parse(text).map(Value::Principal).ok_or(NotAValue::Empty);
        }
        match PrincipalPattern::of_issuers(text, self.issuers) {
            None => Err(NotAValue::Empty),
            Some(_) if !text.contains(['/', '*']) => Err(NotAValue::Slash),
            Some(pattern) => Ok(Value::Principal(pattern)),
        }
    }
}

impl Value {
    pub(super) fn text(text: &str) -> Result<Self, NotAValue> {
        Pattern::lenient(text).map(Self::Text).ok_or(NotAValue::Empty)
    }

    pub(super) fn method(text: &str) -> Result<Self, NotAValue> {
        if text.contains([',', ' ']) || text.chars().any(|c| c.is_ascii_lowercase()) {
            return Err(NotAValue::Method);
        }
        Self::text(text)
    }

    pub(super) fn namespace(text: &str) -> Result<Self, NotAValue> {
        if text.is_empty() {
            return Err(NotAValue::Empty);
        }
        Ok(Self::Peer(PeerPattern::Namespace(Glob::new(&format!("*/ns/{text}/*")))))
    }

    pub(super) fn port(text: &str) -> Result<Self, NotAValue> {
        text.parse().map(Self::Port).map_err(|_| NotAValue::Port)
    }

    /// An address is a block of its own. A block of IPv4 addresses mapped into IPv6 is one of IPv4.
    pub(super) fn block(text: &str) -> Result<Self, NotAValue> {
        const MAPPED: u8 = 96;
        let block = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        let block = block.ok_or(NotAValue::Block)?;
        let mapped = match (block.network().to_canonical(), block.prefix_len().checked_sub(MAPPED)) {
            (IpAddr::V4(network), Some(length)) if matches!(block, IpNet::V6(_)) => Ipv4Net::new(network, length).ok(),
            _ => None,
        };
        Ok(Self::Block(mapped.map_or(block, IpNet::V4)))
    }

    /// Whether a `*` stands for itself in it.
    pub fn has_literal_star(&self) -> bool {
        match self {
            Self::Text(pattern) | Self::Peer(PeerPattern::Principal(pattern)) => pattern.has_literal_star(),
            Self::Principal(pattern) => pattern.has_literal_star(),
            _ => false,
        }
    }
}

/// A fact, as far as it is known.
pub(super) enum Found<'v> {
    Text(&'v [u8]),
    Texts(Option<Vec<Cow<'v, [u8]>>>),
    Peer(Option<&'v PeerCertificate>),
    Principal(Option<(&'v str, &'v str)>),
    Address(Option<IpAddr>),
    Port(Option<u16>),
}

impl PeerPattern {
    /// Whether a peer matches; `None` if a name that is not seen might.
    pub(super) fn matches(&self, peer: Option<&PeerCertificate>) -> Option<bool> {
        let Some(peer) = peer else { return Some(false) };
        match peer.names().any(|name| self.matches_name(name)) {
            false if peer.may_hide_identity() => None,
            matches => Some(matches),
        }
    }

    fn matches_name(&self, name: &str) -> bool {
        let spiffe = || name.strip_prefix("spiffe://");
        match self {
            Self::Principal(Pattern::Present) => true,
            Self::Principal(pattern) => spiffe().is_some_and(|name| pattern.matches(name)),
            Self::Namespace(glob) => glob.matches(name),
            Self::TrustDomain(None) => spiffe().is_some(),
            Self::TrustDomain(Some(glob)) => {
                spiffe().and_then(|name| name.split_once('/')).is_some_and(|(domain, _)| glob.matches(domain))
            }
            Self::ServiceAccount { namespace, name: account } => is_account(spiffe(), namespace, account),
        }
    }
}

/// Istio's `spiffe://.+/ns/<namespace>/(.+/|)sa/<account>(/.+)?`.
fn is_account(principal: Option<&str>, namespace: &str, account: &str) -> bool {
    let account = format!("sa/{account}");
    let is_account =
        |path: &str| path.strip_prefix(account.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some((_, path)) = principal.and_then(|principal| principal.split_once(&format!("/ns/{namespace}/"))) else {
        return false;
    };
    is_account(path) || path.match_indices('/').any(|(slash, _)| path.get(slash + 1..).is_some_and(is_account))
}

/// Whether an address is in a block; an IPv4 address that came mapped into IPv6 is itself.
pub(super) fn contains(block: &IpNet, address: IpAddr) -> bool {
    block.contains(&address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_blocks_are_blocks_of_ipv4() {
        for (text, expected) in [
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3/8", "10.1.2.3/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            let Ok(Value::Block(block)) = Value::block(text) else { panic!("{text} is a block") };
            assert_eq!(block.to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_of_a_peer_is_compared_as_istio_does() {
        let account = PeerPattern::ServiceAccount { namespace: "a".into(), name: "b".into() };
        let namespace = PeerPattern::Namespace(Glob::new("*/ns/t*-prod/*"));
        for (pattern, name, expected) in [
            (&account, "spiffe://td/ns/a/sa/b", true),
            (&account, "spiffe://td/ns/a/x/y/sa/b/z", true),
            (&account, "spiffe://td/ns/a/sa/bc", false),
            (&account, "spiffe://td/ns/a/xsa/b", false),
            (&account, "https://td/ns/a/sa/b", false),
            (&namespace, "spiffe://td/ns/team-prod/sa/b", true),
            (&namespace, "spiffe://td/ns/team-prod", false),
            (&PeerPattern::Principal(Pattern::Present), "CN=a", true),
            (&PeerPattern::TrustDomain(None), "CN=a", false),
            (&PeerPattern::TrustDomain(Some(Glob::new("*.com"))), "spiffe://example.com/x", true),
            (&PeerPattern::TrustDomain(Some(Glob::new("*.com"))), "spiffe://a/example.com/x", false),
        ] {
            assert_eq!(pattern.matches_name(name), expected, "{pattern:?} {name}");
        }
    }
}
