//! One rule of a policy: any of its sources, any of its operations, all of its conditions.

use std::{fmt, rc::Rc};

use super::{
    matcher::Matcher,
    view::{Assume, View},
};
use crate::matching::path::{Captures, PathPattern, Reading};

/// A compiled rule. Without any parts it always matches.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `ns[<namespace>]-policy[<name>]-rule[<index>]`, with the rule's own name for the index if it has one.
    pub id: Rc<str>,
    /// Who; none means anybody. All of a source must hold.
    pub from: Vec<Vec<Matcher>>,
    /// What; none means anything.
    pub to: Vec<Operation>,
    /// What else, all of it.
    pub when: Vec<Matcher>,
}

/// What is done (Istio's `operation`): all of it must hold. Paths are apart, because they capture.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Paths without query and fragment, any of these.
    pub paths: Vec<PathPattern>,
    /// None of these.
    pub not_paths: Vec<PathPattern>,
    /// Hosts, ports and methods.
    pub others: Vec<Matcher>,
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

impl Operation {
    /// Whether every request is this operation.
    fn is_any(&self) -> bool {
        let is_any_path = self.paths.is_empty() || self.paths.iter().any(PathPattern::is_any);
        is_any_path && self.not_paths.is_empty() && self.others.is_empty()
    }

    /// The captures of every path pattern that matches, if the request is this operation when its path is read so.
    fn captures<'r>(&'r self, view: &View<'_>, reading: &'r Reading<'_>) -> Vec<Captures<'r>> {
        let unknown = view.unknown_matches;
        let matches = |pattern: &PathPattern, unknown: bool| {
            pattern.matches(reading) || reading.is_missing() && (pattern.is_any() || unknown)
        };
        let none = Captures::default();
        if !self.others.iter().all(|matcher| matcher.holds(view, &none))
            || self.not_paths.iter().any(|pattern| matches(pattern, !unknown))
        {
            return Vec::new();
        }
        if self.paths.is_empty() {
            return vec![none];
        }
        let captures = |pattern: &'r PathPattern| {
            pattern.captures(reading).or_else(|| matches(pattern, unknown).then(Captures::default))
        };
        self.paths.iter().filter_map(captures).collect()
    }
}

impl Rule {
    /// Whether it asks anything of the token.
    pub(super) fn needs_token(&self) -> bool {
        self.from.iter().flatten().chain(&self.when).any(Matcher::needs_token)
    }

    /// Whether it is written to match every request.
    pub(super) fn matches_everything(&self) -> bool {
        let is_any = self.to.is_empty() || self.to.iter().any(Operation::is_any);
        self.from.is_empty() && self.when.is_empty() && is_any
    }

    /// Whether the rule matches when the path is read so.
    fn matches(&self, view: &View<'_>, reading: &Reading<'_>) -> bool {
        if !self.comes_from(view) {
            return false;
        }
        let holds = |captures: &Captures<'_>| self.when.iter().all(|condition| condition.holds(view, captures));
        if self.to.is_empty() {
            return holds(&Captures::default());
        }
        self.to.iter().flat_map(|operation| operation.captures(view, reading)).any(|captures| holds(&captures))
    }

    fn comes_from(&self, view: &View<'_>) -> bool {
        let none = Captures::default();
        let is_source = |source: &Vec<Matcher>| source.iter().all(|matcher| matcher.holds(view, &none));
        self.from.is_empty() || self.from.iter().any(is_source)
    }

    /// Whether the rule matches in every reading of the path: what a permission needs.
    pub(super) fn surely_matches(&self, view: &View<'_>) -> bool {
        view.readings().all(|reading| self.matches(view, reading))
    }

    /// Whether the rule matches in some reading of the path: enough for a prohibition.
    pub(super) fn possibly_matches(&self, view: &View<'_>) -> bool {
        view.readings().any(|reading| self.matches(view, reading))
    }

    /// The scopes a request needs that lacks nothing else, if the rule names them; `None` if it lacks anything else.
    pub(super) fn missing_scopes(&self, view: &View<'_>) -> Option<Option<Vec<&str>>> {
        let lacks_only_scope = !self.surely_matches(view) && self.surely_matches(&view.assuming(Assume::Scope));
        lacks_only_scope.then(|| {
            let failing = self
                .when
                .iter()
                .filter(|condition| condition.attribute().is_scope() && !condition.holds(view, &Captures::default()));
            failing.map(Matcher::scopes).collect::<Option<Vec<_>>>().map(|scopes| scopes.concat())
        })
    }

    /// What the rule lacks, and the reading of the path that shows it: for a prohibition one in which it matches, if there is
    /// any, for a permission one in which it does not.
    pub(super) fn lacks<'r>(&self, view: &View<'r>) -> (Vec<Lack>, Option<&'r Reading<'r>>) {
        let deciding = view.readings().find(|reading| self.matches(view, reading) == view.unknown_matches);
        let reading = deciding.or_else(|| view.readings().next());
        (reading.map(|reading| self.lacks_in(view, reading)).unwrap_or_default(), reading)
    }

    /// What the rule lacks, part by part, if the path is read so.
    fn lacks_in(&self, view: &View<'_>, reading: &Reading<'_>) -> Vec<Lack> {
        if self.matches(view, reading) {
            return Vec::new();
        }
        let captures: Vec<Captures<'_>> =
            self.to.iter().flat_map(|operation| operation.captures(view, reading)).collect();
        let from = self.comes_from(view);
        let to = self.to.is_empty() || !captures.is_empty();
        let captures = captures.into_iter().next().unwrap_or_default();
        let failing = self.when.iter().enumerate().filter(|(_, condition)| !condition.holds(view, &captures));
        let when = failing.map(|(index, condition)| Lack::When(index, condition.attribute().to_string()));
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
