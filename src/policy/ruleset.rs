//! The rules of all policies of one action, found by host and path.

use super::{facts::Facts, index::Index, rule::Rule};

/// Rules in the order of the configuration, and a way to those that may match.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    index: Index,
}

impl RuleSet {
    /// Compiles rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { index: Index::new(&rules), rules }
    }

    /// Whether some rule asks anything of the token.
    pub fn asks_identity(&self) -> bool {
        self.rules.iter().any(Rule::asks_identity)
    }

    /// The first rule that matches in some reading of the path.
    pub fn first_match(&self, facts: &Facts<'_>) -> Option<&Rule> {
        self.candidates(facts).find(|rule| rule.possibly_matches(facts))
    }

    /// Every rule that matches in some reading of the path.
    pub fn matches(&self, facts: &Facts<'_>) -> Vec<&Rule> {
        self.candidates(facts).filter(|rule| rule.possibly_matches(facts)).collect()
    }

    /// Whether some rule matches in every reading of the path.
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        self.first_cover(facts).is_some()
    }

    /// The first rule that matches in every reading of the path.
    pub fn first_cover(&self, facts: &Facts<'_>) -> Option<&Rule> {
        self.candidates(facts).find(|rule| rule.surely_matches(facts))
    }

    /// The rules that host and path do not rule out, in order.
    pub fn candidates<'a>(&'a self, facts: &Facts<'_>) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let found = if self.rules.is_empty() { Vec::new() } else { self.index.candidates(facts) };
        found.into_iter().filter_map(|index| self.rules.get(index))
    }
}
