//! Why: for every rule that host and path do not rule out, what it lacked. Worked out only for whoever asks.

use std::{fmt, rc::Rc};

use super::{
    Action, Policies,
    facts::{Facts, Token},
    rule::{Lack, Rule},
    ruleset::RuleSet,
    view::View,
};
use crate::{encoding::printable::printable, matching::path::Reading};

/// As much of a path is shown, in characters.
const LONGEST_PATH: usize = 128;

/// A rule that might have decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What its policy does.
    pub action: Action,
    /// The rule, by id.
    pub rule: Rc<str>,
    /// What it lacked; nothing if it matched.
    pub lacks: Vec<Lack>,
    /// The path in the reading that decides, printable, if that is not how the client wrote it.
    pub read_as: Option<String>,
}

impl Policies {
    /// Every candidate in the order of the decision: DENY, then ALLOW.
    pub fn explain(&self, facts: &Facts<'_>) -> Vec<Candidate> {
        let named = self.settings.reading(facts);
        let view = View::new(facts, self.settings, named.as_ref());
        let mut found = candidates(Action::Deny, &self.deny, view.for_prohibition());
        found.extend(self.allow.iter().flat_map(|allow| candidates(Action::Allow, allow, view)));
        found
    }
}

fn candidates(action: Action, rules: &RuleSet, view: View<'_>) -> Vec<Candidate> {
    rules.candidates(&view).map(|rule| candidate(action, rule, &view)).collect()
}

fn candidate(action: Action, rule: &Rule, view: &View<'_>) -> Candidate {
    let is_permitted_anyway = || view.is_preflight() && rule.surely_matches(&view.with(Token::Anonymous));
    let (lacks, reading) = match rule.lacks(view) {
        _ if action == Action::Allow && is_permitted_anyway() => (Vec::new(), None),
        decided => decided,
    };
    let shown = |reading: &Reading<'_>| printable(&String::from_utf8_lossy(reading.path()), LONGEST_PATH);
    let read_as = reading.filter(|reading| !reading.is_raw()).map(shown);
    Candidate { action, rule: Rc::clone(&rule.id), lacks, read_as }
}

impl fmt::Display for Candidate {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.rule)?;
        match self.lacks.as_slice() {
            [] => f.write_str(" matches")?,
            lacks => {
                let lacks: Vec<String> = lacks.iter().map(Lack::to_string).collect();
                write!(f, " lacks {}", lacks.join(", "))?;
            }
        }
        self.read_as.as_ref().map_or(Ok(()), |path| write!(f, " with the path read as `{path}`"))
    }
}
