//! From a host and a path to the rules that they do not rule out, at a cost that does not grow with the others.

use std::collections::HashMap;

use super::{
    attribute::Attribute,
    rule::{Operation, Rule},
    value::Value,
    view::View,
};
use crate::matching::{path::PathKey, pattern::Pattern};

/// Rules by exact host, and those of every other kind of host.
#[derive(Debug, Default)]
pub(super) struct Index {
    rules: usize,
    by_host: HashMap<Vec<u8>, Paths>,
    any_host: Paths,
}

/// Rules by exact path, by the beginning of the path, and the rest.
#[derive(Debug, Default)]
struct Paths {
    exact: HashMap<Vec<u8>, Vec<usize>>,
    beginnings: HashMap<Vec<u8>, Vec<usize>>,
    /// The lengths that beginnings have, each once.
    lengths: Vec<usize>,
    any: Vec<usize>,
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self { rules: rules.len(), ..Self::default() };
        for (number, rule) in rules.iter().enumerate() {
            if rule.to.is_empty() {
                index.any_host.any.push(number);
            }
            for operation in &rule.to {
                let keys: Vec<PathKey<'_>> = operation.paths.iter().map(|path| path.key()).collect();
                let keys = if keys.is_empty() { vec![PathKey::Any] } else { keys };
                let mut hosts = exact_hosts(operation);
                if hosts.is_empty() {
                    hosts.push(None);
                }
                for host in hosts {
                    let paths = match host {
                        Some(host) => index.by_host.entry(host.as_bytes().to_vec()).or_default(),
                        None => &mut index.any_host,
                    };
                    keys.iter().for_each(|key| paths.add(key, number));
                }
            }
        }
        index
    }

    /// The numbers of the rules, each once, in order.
    pub(super) fn candidates(&self, view: &View<'_>) -> Vec<usize> {
        let known = view.facts.known;
        let is_missing = known.is_host_missing() || view.readings().any(|reading| reading.is_missing());
        if is_missing && view.unknown_matches {
            return (0..self.rules).collect();
        }
        let mut found = Vec::new();
        for paths in self.by_host.get(known.host()).into_iter().chain([&self.any_host]) {
            found.extend(&paths.any);
            for reading in view.readings() {
                paths.find(reading.path(), &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Paths {
    fn add(&mut self, key: &PathKey<'_>, number: usize) {
        match key {
            PathKey::Exact(path) => self.exact.entry(path.to_vec()).or_default().push(number),
            PathKey::Beginning(path) => {
                if !self.lengths.contains(&path.len()) {
                    self.lengths.push(path.len());
                }
                self.beginnings.entry(path.to_vec()).or_default().push(number);
            }
            PathKey::Any => self.any.push(number),
        }
    }

    fn find(&self, path: &[u8], found: &mut Vec<usize>) {
        found.extend(self.exact.get(path).into_iter().flatten());
        for length in &self.lengths {
            let beginning = path.get(..*length).and_then(|beginning| self.beginnings.get(beginning));
            found.extend(beginning.into_iter().flatten());
        }
    }
}

/// The hosts of an operation, and `None` for each that is a pattern.
fn exact_hosts(operation: &Operation) -> Vec<Option<&str>> {
    let hosts = operation.others.iter().filter(|matcher| *matcher.attribute() == Attribute::Host);
    let exact = |value| match value {
        &Value::Text(Pattern::Exact(ref host)) => Some(host.as_str()),
        _ => None,
    };
    hosts.flat_map(|matcher| matcher.any()).map(exact).collect()
}
