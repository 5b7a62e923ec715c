//! Why: for every rule that host and path do not rule out, what it lacked. Worked out only for whoever asks.

use std::{fmt, rc::Rc};

use super::{Action, Policies, facts::Facts, rule::Lack, ruleset::RuleSet, view::View};

/// A rule that might have decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What its policy does.
    pub action: Action,
    /// The rule, by id.
    pub rule: Rc<str>,
    /// What it lacked; nothing if it matched.
    pub lacks: Vec<Lack>,
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
    let candidates = rules.candidates(&view);
    candidates.map(|rule| Candidate { action, rule: Rc::clone(&rule.id), lacks: rule.lacks(&view) }).collect()
}

impl fmt::Display for Candidate {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.rule)?;
        match self.lacks.as_slice() {
            [] => f.write_str(" matches"),
            lacks => {
                let lacks: Vec<String> = lacks.iter().map(Lack::to_string).collect();
                write!(f, " lacks {}", lacks.join(", "))
            }
        }
    }
}
