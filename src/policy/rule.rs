//! One rule of a policy: any of its sources, any of its operations, all of its conditions.

use std::{fmt, rc::Rc};

use super::{
    condition::Condition,
    facts::{Assume, Facts},
    operation::Operation,
    source::Source,
};
use crate::matching::path::{Captures, Reading};

/// A compiled rule. Without any parts it always matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `ns[<namespace>]-policy[<name>]-rule[<index>]`, with the rule's own name for the index if it has one.
    pub id: Rc<str>,
    /// Who; none means anybody.
    pub from: Vec<Source>,
    /// What; none means anything.
    pub to: Vec<Operation>,
    /// What else.
    pub when: Vec<Condition>,
}

/// A part of a rule that did not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lack {
    /// None of `from` matched.
    From,
    /// None of `to` matched.
    To,
    /// The condition of this index and key did not hold.
    When(usize, String),
}

impl Rule {
    /// Whether the rule matches when the path is read so.
    pub fn matches(&self, facts: &Facts<'_>, reading: &Reading<'_>) -> bool {
        if !(self.from.is_empty() || self.from.iter().any(|source| source.matches(facts))) {
            return false;
        }
        let holds = |captures: &Captures<'_>| self.when.iter().all(|condition| condition.holds(facts, captures));
        if self.to.is_empty() {
            return holds(&Captures::default());
        }
        let operations = self.to.iter().filter_map(|operation| operation.matches(facts, reading));
        operations.flatten().any(|captures| holds(&captures))
    }

    /// Whether the rule matches in every reading of the path: what a permission needs.
    pub fn surely_matches(&self, facts: &Facts<'_>) -> bool {
        facts.readings().iter().all(|reading| self.matches(facts, reading))
    }

    /// Whether the rule matches in some reading of the path: enough for a prohibition.
    pub fn possibly_matches(&self, facts: &Facts<'_>) -> bool {
        facts.readings().iter().any(|reading| self.matches(facts, reading))
    }

    /// Whether the rule asks anything of the token.
    pub fn asks_identity(&self) -> bool {
        self.from.iter().any(Source::asks_identity) || self.when.iter().any(Condition::asks_identity)
    }

    /// The scopes a request needs that lacks nothing else, if the rule names them; `None` if it lacks anything else.
    pub fn missing_scopes(&self, facts: &Facts<'_>) -> Option<Option<Vec<&str>>> {
        let lacks_only_scope = !self.surely_matches(facts) && self.surely_matches(&facts.assuming(Assume::Scope));
        lacks_only_scope.then(|| {
            let failing = self
                .when
                .iter()
                .filter(|condition| condition.is_about_scope() && !condition.holds(facts, &Captures::default()));
            failing.map(Condition::scopes).collect::<Option<Vec<_>>>().map(|scopes| scopes.concat())
        })
    }

    /// What the rule lacks, part by part, in the first reading of the path.
    pub fn lacks(&self, facts: &Facts<'_>) -> Vec<Lack> {
        let Some(reading) = facts.readings().first() else { return Vec::new() };
        let from = self.from.is_empty() || self.from.iter().any(|source| source.matches(facts));
        let captures: Vec<Captures<'_>> =
            self.to.iter().filter_map(|operation| operation.matches(facts, reading)).flatten().collect();
        let to = self.to.is_empty() || !captures.is_empty();
        let captures = captures.into_iter().next().unwrap_or_default();
        let failing = self.when.iter().enumerate().filter(|(_, condition)| !condition.holds(facts, &captures));
        let when = failing.map(|(index, condition)| Lack::When(index, condition.key()));
        let parts = [(!from).then_some(Lack::From), (!to).then_some(Lack::To)];
        parts.into_iter().flatten().chain(when).collect()
    }
}

impl fmt::Display for Lack {
    /// The part by its path in the rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From => f.write_str("from"),
            Self::To => f.write_str("to"),
            Self::When(index, key) => write!(f, "when[{index}] {key}"),
        }
    }
}
