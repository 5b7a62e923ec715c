//! Why a request is refused, as far as it is known.

use std::{rc::Rc, time::Duration};

use super::{facts::Facts, rule::Rule, ruleset::RuleSet};
use crate::decision::Denial;

/// A refusal with what is known about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The reason.
    pub denial: Denial,
    /// The rule that decided, by id; `None` if it is that no rule did.
    pub policy: Option<Rc<str>>,
    /// The scopes that would have been enough, if that is known (RFC 6750 section 3).
    pub scopes: Vec<String>,
    /// Whether nobody was authenticated: RFC 6750 section 3.1 wants no error code then.
    pub is_anonymous: bool,
    /// When to try again, if that may help.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal that is not about a policy.
    pub fn of(denial: Denial) -> Self {
        Self { denial, policy: None, scopes: Vec::new(), is_anonymous: false, retry_after: None }
    }

    /// This DENY rule matched.
    pub(super) fn denied(rule: &Rule, facts: &Facts<'_>) -> Self {
        Self { policy: Some(rule.id.clone()), is_anonymous: facts.claims.is_none(), ..Self::of(Denial::PolicyDenied) }
    }

    /// No rule of these matched. If every rule that lacks nothing but scope names its scopes, they are told.
    pub(super) fn not_allowed(allow: &RuleSet, facts: &Facts<'_>) -> Self {
        let named: Option<Vec<_>> = allow.candidates(facts).filter_map(|rule| rule.missing_scopes(facts)).collect();
        let mut scopes: Vec<String> = Vec::new();
        for scope in named.unwrap_or_default().into_iter().flatten() {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        Self { scopes, is_anonymous: facts.claims.is_none(), ..Self::of(Denial::PolicyNotAllowed) }
    }

    /// The same refusal, of a request that a token would have helped.
    pub(super) fn for_want_of_a_token(self) -> Self {
        Self { denial: Denial::TokenMissing, ..self }
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::of(denial)
    }
}
