//! Why: for every rule that host and path do not rule out, what it lacked. Worked out only for whoever asks.

use std::{fmt, rc::Rc};

use super::{
    Policies,
    facts::Facts,
    rule::{Lack, Rule},
    ruleset::RuleSet,
};

/// A rule that might have decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// What its policy does.
    pub action: &'static str,
    /// The rule, by id.
    pub rule: Rc<str>,
    /// What it lacked; nothing if it matched.
    pub lacks: Vec<Lack>,
}

impl Policies {
    /// Every candidate in the order of the decision: DENY, then ALLOW.
    pub fn explain(&self, facts: &Facts<'_>) -> Vec<Candidate> {
        let prohibiting = facts.for_prohibition();
        let deny = candidates("DENY", &self.deny, &prohibiting);
        deny.chain(self.allow.iter().flat_map(|allow| candidates("ALLOW", allow, facts))).collect()
    }
}

fn candidates<'a>(
    action: &'static str,
    rules: &'a RuleSet,
    facts: &'a Facts<'_>,
) -> impl Iterator<Item = Candidate> + use<'a> {
    let candidate = move |rule: &Rule| Candidate { action, rule: rule.id.clone(), lacks: rule.lacks(facts) };
    rules.candidates(facts).map(candidate)
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
