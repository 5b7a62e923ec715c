//! What else must hold (Istio's `when`), and what Istio lacks: numbers, regular expressions, all of, values from elsewhere.

use std::fmt;

use ipnet::IpNet;
use regex_lite::Regex;
use serde_json::Value;

use super::{
    facts::{Assume, Facts},
    source::{namespace, request_principal, service_account},
    test::{PrincipalPattern, ServiceAccount, Values},
};
use crate::matching::{path::Captures, pattern::Pattern};

/// One `when`: its key, and what it must be.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A fact that is text.
    Text(Text, TextTest),
    /// `source.ip`.
    SourceIp(Values<IpNet>),
    /// `remote.ip`.
    RemoteIp(Values<IpNet>),
    /// `destination.ip`.
    DestinationIp(Values<IpNet>),
    /// `destination.port`.
    DestinationPort(Values<u16>),
    /// `source.namespace`.
    SourceNamespace(Values<Pattern>),
    /// `source.serviceAccount`.
    SourceServiceAccount(Values<ServiceAccount>),
    /// `request.auth.principal`.
    RequestPrincipal(Values<PrincipalPattern>),
}

/// A key whose fact is text, or several texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Text {
    /// `request.headers[name]`, in lower case.
    Header(String),
    /// `request.auth.claims[a][b]`, and with it `request.auth.audiences` (`aud`) and `request.auth.presenter` (`azp`).
    Claim(Vec<String>),
    /// `source.principal`.
    SourcePrincipal,
    /// `source.trustDomain`.
    SourceTrustDomain,
    /// `connection.sni`.
    Sni,
}

/// What a text must be: any of the values, expressions or other texts, none of the others, all of some, within bounds.
#[derive(Clone, Debug, Default)]
pub struct TextTest {
    /// `values` and `notValues`.
    pub values: Values<Pattern>,
    /// `matches`, each anchored.
    pub matches: Vec<Regex>,
    /// `valuesFrom`.
    pub values_from: Vec<Origin>,
    /// `allOf`.
    pub all_of: Vec<Pattern>,
    /// `min`.
    pub min: Option<f64>,
    /// `max`.
    pub max: Option<f64>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Another key.
    Key(Text),
    /// A `{name}` of the rule's path.
    Capture(String),
}

impl Condition {
    /// Whether it holds, with what the path captured.
    pub fn holds(&self, facts: &Facts<'_>, captures: &Captures<'_>) -> bool {
        match self {
            _ if facts.assume == Assume::Identity && self.asks_identity() => true,
            _ if facts.assume == Assume::Anonymous && self.asks_identity() => false,
            Self::Text(key, _) if facts.assume == Assume::Scope && key.is_scope() => true,
            Self::Text(key, test) => test.holds(key, facts, captures),
            Self::SourceIp(blocks) => facts.is_within(blocks, facts.source_ip()),
            Self::RemoteIp(blocks) => facts.is_within(blocks, facts.remote_ip()),
            Self::DestinationIp(blocks) => facts.is_within(blocks, facts.destination_ip()),
            Self::DestinationPort(ports) => ports.hold(|port| facts.destination_port() == Some(*port)),
            Self::SourceNamespace(patterns) => patterns.hold(|pattern| namespace(pattern, facts)),
            Self::SourceServiceAccount(accounts) => accounts.hold(|account| service_account(account, facts)),
            Self::RequestPrincipal(patterns) => patterns.hold(|pattern| request_principal(pattern, facts)),
        }
    }

    /// Whether it asks anything of the token.
    pub fn asks_identity(&self) -> bool {
        match self {
            Self::RequestPrincipal(_) => true,
            Self::Text(key, test) => {
                key.is_identity()
                    || test.values_from.iter().any(|origin| matches!(origin, Origin::Key(key) if key.is_identity()))
            }
            _ => false,
        }
    }

    /// Whether it asks anything of the token's scope.
    pub fn is_about_scope(&self) -> bool {
        matches!(self, Self::Text(key, _) if key.is_scope())
    }

    /// The key, as it is written.
    pub fn key(&self) -> String {
        match self {
            Self::Text(key, _) => key.to_string(),
            Self::SourceIp(_) => "source.ip".to_owned(),
            Self::RemoteIp(_) => "remote.ip".to_owned(),
            Self::DestinationIp(_) => "destination.ip".to_owned(),
            Self::DestinationPort(_) => "destination.port".to_owned(),
            Self::SourceNamespace(_) => "source.namespace".to_owned(),
            Self::SourceServiceAccount(_) => "source.serviceAccount".to_owned(),
            Self::RequestPrincipal(_) => "request.auth.principal".to_owned(),
        }
    }

    /// The scopes it asks for, if it asks for scopes and all of them by name.
    pub fn scopes(&self) -> Option<Vec<&str>> {
        let Self::Text(key, test) = self else { return None };
        let patterns = test.values.any.iter().chain(&test.all_of);
        let names: Option<Vec<&str>> = patterns
            .map(|pattern| match pattern {
                Pattern::Exact(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        names.filter(|names| key.is_scope() && !names.is_empty() && test.matches.is_empty())
    }
}

impl Text {
    /// Whether the fact comes from the token.
    pub fn is_identity(&self) -> bool {
        matches!(self, Self::Claim(_))
    }

    /// Whether the fact is what RFC 6749 section 3.3 calls scope; some issuers write `scp`.
    pub fn is_scope(&self) -> bool {
        matches!(self, Self::Claim(steps) if matches!(steps.as_slice(), [name] if name == "scope" || name == "scp"))
    }

    /// The texts, as bytes.
    fn values(&self, facts: &Facts<'_>) -> Vec<Vec<u8>> {
        let text = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec()).into_iter().collect();
        match self {
            Self::Header(name) => facts.request().values(name).map(<[u8]>::to_vec).collect(),
            Self::Claim(steps) => facts.claim_texts(steps).iter().map(|value| value.as_bytes().to_vec()).collect(),
            Self::SourcePrincipal => text(facts.peer().map(|peer| peer.principal())),
            Self::SourceTrustDomain => text(facts.peer().map(|peer| peer.trust_domain())),
            Self::Sni => text(facts.sni()),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "request.headers[{name}]"),
            Self::Claim(steps) => write!(f, "request.auth.claims[{}]", steps.join("][")),
            Self::SourcePrincipal => f.write_str("source.principal"),
            Self::SourceTrustDomain => f.write_str("source.trustDomain"),
            Self::Sni => f.write_str("connection.sni"),
        }
    }
}

impl TextTest {
    fn holds(&self, key: &Text, facts: &Facts<'_>, captures: &Captures<'_>) -> bool {
        let found = key.values(facts);
        // A header that is there and empty is present (Envoy's present_match); any other text must say something.
        let is_header = matches!(key, Text::Header(_));
        let matches = |pattern: &Pattern| match pattern {
            Pattern::Present if is_header => !found.is_empty(),
            // Envoy's `.+` is one line.
            Pattern::Present => found.iter().any(|text| !text.is_empty() && !text.contains(&b'\n')),
            pattern => found.iter().any(|text| pattern.matches(text)),
        };
        let expressed =
            |regex: &Regex| found.iter().any(|text| std::str::from_utf8(text).is_ok_and(|text| regex.is_match(text)));
        let from_elsewhere = |origin: &Origin| {
            let wanted = origin.values(facts, captures);
            found.iter().any(|text| !text.is_empty() && wanted.contains(text))
        };
        let asks_any = !(self.values.any.is_empty() && self.matches.is_empty() && self.values_from.is_empty());
        let any = self.values.any.iter().any(matches)
            || self.matches.iter().any(expressed)
            || self.values_from.iter().any(from_elsewhere);
        (any || !asks_any)
            && !self.values.none.iter().any(matches)
            && self.all_of.iter().all(matches)
            && self.is_within_bounds(key, facts)
    }

    fn is_within_bounds(&self, key: &Text, facts: &Facts<'_>) -> bool {
        if self.min.is_none() && self.max.is_none() {
            return true;
        }
        let Text::Claim(steps) = key else { return false };
        facts
            .claim(steps)
            .and_then(Value::as_f64)
            .is_some_and(|number| self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max))
    }
}

impl Origin {
    fn values(&self, facts: &Facts<'_>, captures: &Captures<'_>) -> Vec<Vec<u8>> {
        match self {
            Self::Key(key) => {
                let found = key.values(facts);
                // Of two headers nobody knows which one the upstream takes.
                if matches!(key, Text::Header(_)) && found.len() > 1 { Vec::new() } else { found }
            }
            Self::Capture(name) => captures.value(name).map(<[u8]>::to_vec).into_iter().collect(),
        }
    }
}
