//! What the access log and later filters can read of a decision: `%FILTER_STATE(wasm.claimgate.reason:PLAIN)%`.

use std::borrow::Cow;

use super::{Credential, Record};
use crate::claims::Claims;

/// `filterState`: what is set of a denial and of what passes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilterState {
    denied: Vec<Attribute>,
    allowed: Vec<Attribute>,
}

/// One thing to read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attribute {
    /// `allowed` or `denied`.
    Outcome,
    /// The code of a denial.
    Reason,
    /// The policy rule that decided, by id.
    Rule,
    /// The token rule that decided, by name.
    Provider,
    /// `iss` of a proven token.
    Issuer,
    /// `sub` of a proven token.
    Subject,
    /// Both, as Istio's request principal: `<iss>/<sub>`.
    Principal,
}

/// Every attribute by its name.
pub const ATTRIBUTES: [(&str, Attribute); 7] = [
    ("outcome", Attribute::Outcome),
    ("reason", Attribute::Reason),
    ("rule", Attribute::Rule),
    ("provider", Attribute::Provider),
    ("issuer", Attribute::Issuer),
    ("subject", Attribute::Subject),
    ("principal", Attribute::Principal),
];

impl Default for FilterState {
    /// Why a request was refused, and nothing of what passes: each attribute costs a call to the host.
    fn default() -> Self {
        Self { denied: vec![Attribute::Reason, Attribute::Rule], allowed: Vec::new() }
    }
}

impl FilterState {
    /// These of every request.
    pub fn listed(attributes: Vec<Attribute>) -> Self {
        Self { allowed: attributes.clone(), denied: attributes }
    }

    /// What there is to set, by key. What could end a line or a header is not set.
    pub fn values<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
        let attributes = if record.denial.is_some() { &self.denied } else { &self.allowed };
        let values = attributes.iter().filter_map(move |it| Some((it.key(), it.value(record)?)));
        values.filter(|(_, value)| !value.chars().any(char::is_control))
    }
}

impl Attribute {
    const fn key(self) -> &'static str {
        match self {
            Self::Outcome => "claimgate.outcome",
            Self::Reason => "claimgate.reason",
            Self::Rule => "claimgate.rule",
            Self::Provider => "claimgate.provider",
            Self::Issuer => "claimgate.issuer",
            Self::Subject => "claimgate.subject",
            Self::Principal => "claimgate.principal",
        }
    }

    fn value<'a>(self, record: &'a Record) -> Option<Cow<'a, str>> {
        let claims: Option<&Claims> = match record.credential() {
            Credential::Proven(claims) => Some(claims),
            Credential::Claimed(_) | Credential::Absent => None,
        };
        match self {
            Self::Outcome => Some(record.outcome().into()),
            Self::Reason => record.reason().map(|reason| reason.code().into()),
            Self::Rule => record.rule().map(Cow::Borrowed),
            Self::Provider => record.provider().map(Cow::Borrowed),
            Self::Issuer => claims?.issuer().map(Cow::Borrowed),
            Self::Subject => claims?.subject().map(Cow::Borrowed),
            Self::Principal => Some(format!("{}/{}", claims?.issuer()?, claims?.subject()?).into()),
        }
    }
}
