//! Who may pass (Istio's AuthorizationPolicy): DENY, then ALLOW, and no unless something here says yes.
//!
//! Only this module can make a [`Permit`]. Rules are compiled once; a request is held against those that its host and path
//! do not rule out.

pub mod condition;
pub mod explain;
pub mod facts;
mod index;
pub mod operation;
pub mod rule;
pub mod ruleset;
pub mod source;
pub mod test;

use std::rc::Rc;

use crate::{denial::Denial, reason::Reason};
use facts::{Assume, Facts};
use rule::Rule;
pub use ruleset::RuleSet;

/// Leave to continue upstream. Nothing outside this module can make one.
#[derive(Debug, Eq, PartialEq)]
pub struct Permit(());

/// Every policy of a configuration, by what it does.
#[derive(Debug, Default)]
pub struct Policies {
    /// What is refused.
    pub deny: RuleSet,
    /// What is let pass; if there are no such policies, everything.
    pub allow: Option<RuleSet>,
    /// What is noted.
    pub audit: RuleSet,
    /// What would be refused.
    pub dry_deny: RuleSet,
    /// What alone would be let pass.
    pub dry_allow: Option<RuleSet>,
}

/// What the policies say of a request, beside yes or no.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shadow {
    /// The AUDIT rules that match, by id.
    pub audited: Vec<String>,
    /// What a dry run would have denied: the DENY rule that matches, or that no ALLOW rule does.
    pub would_deny: Vec<Option<String>>,
}

/// Leave to continue, and the ALLOW rule that gave it; none if there are no such policies.
pub type Leave = (Permit, Option<Rc<str>>);

impl Policies {
    /// Decides a request: DENY first, then ALLOW, and allow if there is no ALLOW policy.
    pub fn decide(&self, facts: &Facts<'_>) -> Result<Leave, Denial> {
        let denial = match (self.deny.first_match(&facts.for_prohibition()), &self.allow) {
            (Some(rule), _) => denied(rule, facts),
            (None, None) => return Ok((Permit(()), None)),
            (None, Some(allow)) => match allow.first_cover(facts) {
                Some(rule) => return Ok((Permit(()), Some(Rc::clone(&rule.id)))),
                None => not_allowed(allow, facts),
            },
        };
        Err(if self.wants_token(facts) { denial.for_want_of_a_token() } else { denial })
    }

    /// Decides a CORS preflight, on which a browser can't put a token: only what is closed to everybody stays closed.
    pub fn decide_preflight(&self, facts: &Facts<'_>) -> Result<Leave, Denial> {
        match self.deny.first_match(&facts.for_prohibition().assuming(Assume::Anonymous)) {
            Some(rule) => Err(denied(rule, facts)),
            None => Ok((Permit(()), None)),
        }
    }

    /// Whether some token would change a denial of this request: nobody has shown one, no DENY rule is for everybody,
    /// and some ALLOW rule fits in everything else. Istio does not ask: it answers 403.
    fn wants_token(&self, facts: &Facts<'_>) -> bool {
        let is_anonymous = facts.claims.is_none() && !facts.text_only;
        let anybody = facts.assuming(Assume::Identity);
        is_anonymous
            && self.deny.first_match(&facts.for_prohibition().assuming(Assume::Anonymous)).is_none()
            && self.allow.as_ref().is_none_or(|allow| allow.covers(&anybody))
    }

    /// Whether some rule in force asks anything of the token.
    pub fn ask_identity(&self) -> bool {
        self.deny.asks_identity() || self.allow.as_ref().is_some_and(RuleSet::asks_identity)
    }

    /// What is to be said of a request, whatever becomes of it.
    pub fn shadow(&self, facts: &Facts<'_>) -> Shadow {
        let dry_denied = self.dry_deny.first_match(&facts.for_prohibition()).map(|rule| Some(rule.id.to_string()));
        let uncovered = self.dry_allow.as_ref().filter(|allow| !allow.covers(facts)).map(|_| None);
        Shadow {
            audited: self.audit.matches(facts).into_iter().map(|rule| rule.id.to_string()).collect(),
            would_deny: dry_denied.into_iter().chain(uncovered).collect(),
        }
    }
}

/// This DENY rule matched.
fn denied(rule: &Rule, facts: &Facts<'_>) -> Denial {
    Denial { rule: Some(Rc::clone(&rule.id)), is_anonymous: facts.claims.is_none(), ..Denial::of(Reason::PolicyDenied) }
}

/// No rule of these matched. If every rule that lacks nothing but scope names its scopes, they are told.
fn not_allowed(allow: &RuleSet, facts: &Facts<'_>) -> Denial {
    let named: Option<Vec<_>> = allow.candidates(facts).filter_map(|rule| rule.missing_scopes(facts)).collect();
    let mut scopes: Vec<String> = Vec::new();
    for scope in named.unwrap_or_default().into_iter().flatten() {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Denial { scopes, is_anonymous: facts.claims.is_none(), ..Denial::of(Reason::PolicyNotAllowed) }
}
