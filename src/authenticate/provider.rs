//! A trusted issuer (`jwtRules`): where its tokens are, what proves them, what they must promise, what goes upstream.

use std::rc::Rc;

use crate::{
    claims::{claim_header::ClaimHeader, validity::Expectations},
    jose::algorithm::Algorithm,
    keys::KeySet,
    location::Location,
    matching::RequestMatch,
    outbound::SourceIndex,
    request::HeaderName,
};

/// The place of a provider among the rules.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ProviderIndex(pub usize);

/// One checked entry of `jwtRules`.
#[derive(Debug)]
pub struct Provider {
    /// Its place among the rules.
    pub index: ProviderIndex,
    /// What logs call it.
    pub name: Rc<str>,
    /// The `iss` its tokens carry.
    pub issuer: Issuer,
    /// The requests it applies to; none means all.
    pub applies_to: Vec<RequestMatch>,
    /// Whether a request must bring one of its tokens.
    pub presence: Presence,
    /// Where its tokens are.
    pub locations: Vec<Rc<Location>>,
    /// Whether a token stays on the request.
    pub forward_original_token: bool,
    /// The algorithms its tokens may use.
    pub algorithms: Vec<Algorithm>,
    pub keys: Keys,
    /// What its tokens must promise.
    pub expectations: Expectations,
    /// Claims whose text is a list of words, beside `scope` and `permission`.
    pub space_delimited_claims: Vec<String>,
    /// The header for the whole payload.
    pub output_payload: Option<HeaderName>,
    /// The headers for single claims.
    pub output_claims: Vec<ClaimHeader>,
    /// Whether the route hangs on these headers.
    pub clear_route_cache: bool,
}

impl Provider {
    /// The headers it may write.
    pub fn outputs(&self) -> impl Iterator<Item = &HeaderName> {
        self.output_claims.iter().map(|output| &output.header).chain(&self.output_payload)
    }
}

/// Where a provider's keys are.
#[derive(Debug)]
pub enum Keys {
    /// In the configuration.
    Inline(KeySet),
    /// At the issuer.
    Remote(SourceIndex),
}

/// Whose tokens a provider's keys may prove.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Issuer {
    /// The tokens of this issuer, exactly.
    Named(String),
    /// Everybody's but these, whom other rules name: otherwise the holder of these keys could pose as them.
    AnyBut(Vec<String>),
}

/// Istio's `presence`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// A request without a token passes on to the policies.
    Optional,
    /// A request without a token is refused.
    Required,
}

impl Issuer {
    /// The issuer, if the rule names one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(issuer) => Some(issuer),
            Self::AnyBut(_) => None,
        }
    }

    /// Whether a token that says it comes from there may be this provider's.
    pub fn admits(&self, claimed: Option<&str>) -> bool {
        match self {
            Self::Named(issuer) => claimed == Some(issuer),
            Self::AnyBut(named) => claimed.is_none_or(|claimed| named.iter().all(|issuer| issuer != claimed)),
        }
    }
}
