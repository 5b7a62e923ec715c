//! What is done (Istio's `operation`): host, port, method and path, exactly as Istio compares them.

use super::{facts::Facts, test::Values};
use crate::matching::{
    path::{Captures, PathPattern, Reading},
    pattern::Pattern,
};

/// One `operation`: all of its fields must hold.
#[derive(Clone, Debug, Default)]
pub struct Operation {
    /// Host and port as the client wrote them, in lower case.
    pub hosts: Values<Pattern>,
    /// The port the connection was opened to.
    pub ports: Values<u16>,
    /// Methods.
    pub methods: Values<Pattern>,
    /// Paths without query and fragment.
    pub paths: Values<PathPattern>,
}

impl Operation {
    /// The captures of every path pattern that matches, if the request is this operation when its path is read so.
    pub fn matches<'r>(&self, facts: &Facts<'_>, reading: &'r Reading<'_>) -> Option<Vec<Captures<'r>>> {
        let others = self.methods.hold(|method| method.matches(facts.request().method()))
            && self.hosts.hold(|pattern| pattern.matches(&facts.known.host))
            && self.ports.hold(|port| facts.destination_port() == Some(*port))
            && !self.paths.none.iter().any(|pattern| pattern.matches(reading));
        if !others {
            return None;
        }
        if self.paths.any.is_empty() {
            return Some(vec![Captures::default()]);
        }
        let captures: Vec<Captures<'r>> =
            self.paths.any.iter().filter_map(|pattern| pattern.captures(reading)).collect();
        (!captures.is_empty()).then_some(captures)
    }
}
