//! Who may pass (Istio's AuthorizationPolicy): DENY, then ALLOW, and no unless something here says yes.
//!
//! Only this module can make a [`Permit`]. Rules are compiled once; a request is held against those that its host and path
//! do not rule out. What is unknown never satisfies a rule that allows and never escapes one that denies.

pub mod attribute;
pub mod explain;
pub mod facts;
mod index;
pub mod matcher;
pub mod permit;
pub mod principal;
pub mod rule;
mod ruleset;
pub mod trust_domain;
pub mod value;
mod view;

use std::{fmt, rc::Rc};

use crate::{denial::Denial, reason::Reason};
use facts::{Facts, Token};
pub use permit::Permit;
use rule::Rule;
use ruleset::RuleSet;
pub use view::Settings;
use view::{Assume, View};

/// What a policy does with a request that matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Lets it pass.
    Allow,
    /// Refuses it.
    Deny,
    /// Notes it.
    Audit,
}

/// One policy: some rules, any of which is enough. None never match.
#[derive(Debug)]
pub struct Policy {
    /// What it does.
    pub action: Action,
    /// Whether it only says what it would do.
    pub is_dry_run: bool,
    pub rules: Vec<Rule>,
}

/// Every policy of a configuration, by what it does.
#[derive(Debug, Default)]
pub struct Policies {
    deny: RuleSet,
    /// What is let pass; if there are no such policies, everything.
    allow: Option<RuleSet>,
    audit: RuleSet,
    dry_deny: RuleSet,
    dry_allow: Option<RuleSet>,
    settings: Settings,
}

/// What the policies say of a request, beside yes or no.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shadow {
    /// The AUDIT rules that match, by id.
    pub audited: Vec<String>,
    /// What a dry run would have denied: the DENY rule that matches, or that no ALLOW rule does.
    pub would_deny: Vec<Option<String>>,
}

impl Policies {
    /// Compiles policies.
    pub fn new(policies: Vec<Policy>, settings: Settings) -> Self {
        let (mut deny, mut audit, mut dry_deny) = (Vec::new(), Vec::new(), Vec::new());
        let (mut allow, mut dry_allow): (Option<Vec<Rule>>, Option<Vec<Rule>>) = (None, None);
        for Policy { action, is_dry_run, rules } in policies {
            match (action, is_dry_run) {
                (Action::Allow, false) => allow.get_or_insert_default().extend(rules),
                (Action::Allow, true) => dry_allow.get_or_insert_default().extend(rules),
                (Action::Deny, false) => deny.extend(rules),
                (Action::Deny, true) => dry_deny.extend(rules),
                (Action::Audit, _) => audit.extend(rules),
            }
        }
        Self {
            deny: RuleSet::new(deny),
            allow: allow.map(RuleSet::new),
            audit: RuleSet::new(audit),
            dry_deny: RuleSet::new(dry_deny),
            dry_allow: dry_allow.map(RuleSet::new),
            settings,
        }
    }

    /// Decides a request: DENY first, then ALLOW, and allow if there is no ALLOW policy.
    ///
    /// # Errors
    /// The rule that denies, or that none allows.
    pub fn decide(&self, facts: &Facts<'_>) -> Result<Permit, Denial> {
        let named = self.settings.reading(facts);
        let view = View::new(facts, self.settings, named.as_ref());
        let denial = match (self.deny.first_prohibiting(&view), &self.allow) {
            (Some(rule), _) => denied(rule, &view),
            (None, None) => return Ok(Permit::by(None)),
            (None, Some(allow)) => match allow.first_permitting(&view) {
                Some(rule) => return Ok(Permit::by(Some(&rule.id))),
                None => not_allowed(allow, &view),
            },
        };
        Err(if self.wants_token(&view) { Denial { reason: Reason::TokenMissing, ..denial } } else { denial })
    }

    /// Whether a request passes that no rule is about, and there are such requests.
    pub fn allow_by_default(&self) -> bool {
        self.allow.is_none() && !self.deny.matches_everything()
    }

    /// Whether some rule in force asks anything of the token.
    pub fn need_token(&self) -> bool {
        self.deny.needs_token() || self.allow.as_ref().is_some_and(RuleSet::needs_token)
    }

    /// Whether some token would change a denial of this request: nobody has shown one, no DENY rule is for everybody,
    /// and some ALLOW rule fits in everything else. Istio does not ask: it answers 403.
    fn wants_token(&self, view: &View<'_>) -> bool {
        let permits = |allow: &RuleSet| allow.first_permitting(&view.assuming(Assume::Identity)).is_some();
        matches!(view.facts.token, Token::Anonymous)
            && !self.settings.text_only
            && self.deny.first_prohibiting(&view.assuming(Assume::Anonymous)).is_none()
            && self.allow.as_ref().is_none_or(permits)
    }

    /// What is to be said of a request, whatever becomes of it. Dry runs are decided as the others are, and AUDIT notes
    /// what the same rule would deny.
    pub fn shadow(&self, facts: &Facts<'_>) -> Shadow {
        let named = self.settings.reading(facts);
        let view = View::new(facts, self.settings, named.as_ref());
        let dry_denied = self.dry_deny.first_prohibiting(&view).map(|rule| Some(rule.id.to_string()));
        let not_permitted =
            self.dry_allow.as_ref().filter(|allow| allow.first_permitting(&view).is_none()).map(|_| None);
        Shadow {
            audited: self.audit.prohibiting(&view).map(|rule| rule.id.to_string()).collect(),
            would_deny: dry_denied.into_iter().chain(not_permitted).collect(),
        }
    }
}

/// This DENY rule matched.
fn denied(rule: &Rule, view: &View<'_>) -> Denial {
    let is_anonymous = view.facts.claims().is_none();
    Denial { rule: Some(Rc::clone(&rule.id)), is_anonymous, ..Denial::of(Reason::PolicyDenied) }
}

/// No rule of these matched. If every rule that lacks nothing but scope names its scopes, they are told.
fn not_allowed(allow: &RuleSet, view: &View<'_>) -> Denial {
    let named: Option<Vec<_>> = allow.candidates(view).filter_map(|rule| rule.missing_scopes(view)).collect();
    let mut scopes: Vec<String> = Vec::new();
    for scope in named.unwrap_or_default().into_iter().flatten() {
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Denial { scopes, is_anonymous: view.facts.claims().is_none(), ..Denial::of(Reason::PolicyNotAllowed) }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
            Self::Audit => "AUDIT",
        })
    }
}
