//! The log line and the stats of every case of the corpus in Envoy: those of the core, once.
//!
//! The cases go one after the other through their own Envoy, because a stat does not say which case changed it: what changes
//! between two reads comes from the case between them. At debug no line is suppressed.

use std::{collections::BTreeMap, mem, time::Duration};

use claimgate::time::UnixTime;
use claimgate_testing::{case::corpus, core, envoy::Envoy};
use libtest_mimic::{Failed, Trial};

use crate::corpus::Lab;

/// The start of each log line of the filter.
const HEARD: &str = " wasm log claimgate claimgate claimgate: ";

pub(crate) fn trials() -> Vec<Trial> {
    let name = "corpus: every case is told in one line and counted once, and the worker outlives them all";
    vec![Trial::test(name, try_all)]
}

fn try_all() -> Result<(), Failed> {
    let lab = Lab::open(corpus());
    let mut witness = Witness::of(lab.envoy());
    let mut differences = Vec::new();
    for file in &lab.files {
        let mut gate = core::gate(file);
        for case in file.cases.iter().filter(|case| case.runs_in("envoy")) {
            let began = crate::now();
            let parts = case.request(began);
            lab.send(file, case, parts.clone(), "record")?;
            let (told, counted) = (witness.told(), witness.counted());
            let records: Vec<_> =
                instants(began).map(|instant| core::decide(&mut gate, parts.clone(), &case.peer, instant).1).collect();
            let outcome = if case.expect.reason.is_some() { "denied" } else { "allowed" };
            if !records.iter().any(|record| told == [format!("{outcome}: {}", record.line)]) {
                differences.push(format!("{}: {}: told {told:#?}, expected {records:#?}", file.name, case.name));
            }
            if !records.iter().any(|record| counted == [(record.stat.clone(), 1)]) {
                differences.push(format!("{}: {}: counted {counted:?}, expected {records:#?}", file.name, case.name));
            }
        }
    }
    assert!(!lab.envoy().log().contains("panicked"), "{}", lab.envoy().log());
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// The time range of a case, short enough that the line is the same at both ends.
fn instants(began: u64) -> impl Iterator<Item = UnixTime> {
    let quarters = 4 * (crate::now() - began + 1);
    (0..quarters).map(move |quarter| UnixTime::since_epoch(Duration::from_millis(1000 * began + 250 * quarter)))
}

/// A reader of Envoy's log and stats, with its position.
struct Witness<'a> {
    envoy: &'a Envoy,
    read: usize,
    counts: BTreeMap<String, u64>,
}

impl<'a> Witness<'a> {
    fn of(envoy: &'a Envoy) -> Self {
        envoy.log_at("wasm=debug");
        Self { envoy, read: envoy.log().len(), counts: decisions(envoy) }
    }

    /// The new lines about decisions. Lines about what a rule lacks start differently.
    fn told(&mut self) -> Vec<String> {
        let log = self.envoy.log();
        let heard = log[mem::replace(&mut self.read, log.len())..].lines();
        let said = heard.filter_map(|line| Some(line.split_once(HEARD)?.1));
        let told = said.filter(|said| said.starts_with("allowed: ") || said.starts_with("denied: reason="));
        told.map(str::to_owned).collect()
    }

    /// The decision counters that have changed, and by how much.
    fn counted(&mut self) -> Vec<(String, u64)> {
        let counts = decisions(self.envoy);
        let before = mem::replace(&mut self.counts, counts);
        let moved = self.counts.iter().map(|(stat, count)| (stat.clone(), count - before.get(stat).unwrap_or(&0)));
        moved.filter(|(_, by)| *by > 0).collect()
    }
}

fn decisions(envoy: &Envoy) -> BTreeMap<String, u64> {
    let stats = envoy.admin("/stats?filter=claimgate.decisions");
    let counts = stats.lines().filter_map(|line| line.strip_prefix("wasmcustom.")?.rsplit_once(": "));
    counts.map(|(stat, count)| (stat.to_owned(), count.parse().unwrap())).collect()
}
