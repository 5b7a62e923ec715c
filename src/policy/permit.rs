//! Leave to continue upstream.

use std::rc::Rc;

/// Leave to continue. Nothing outside of the policies can make one.
#[derive(Debug, Eq, PartialEq)]
pub struct Permit {
    rule: Option<Rc<str>>,
}

impl Permit {
    /// Given by this ALLOW rule, or because there are no such policies.
    pub(super) fn by(rule: Option<&Rc<str>>) -> Self {
        Self { rule: rule.cloned() }
    }

    /// The ALLOW rule that gave it, by id; none if there are no such policies.
    pub fn rule(&self) -> Option<&Rc<str>> {
        self.rule.as_ref()
    }
}
