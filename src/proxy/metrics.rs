//! Counters and gauges in Envoy's stats.
//!
//! A label is a part of the name, `name=value` between dots, for Envoy's `stats_tags` to take out again. What labels can
//! be is bounded by the configuration, never by traffic.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use proxy_wasm::{hostcalls, types::MetricType};

use crate::keys::{fetch::FetchError, turn::Brought};

/// The metrics of one configuration on one worker; without a host that counts they are silent.
#[derive(Default)]
pub(super) struct Metrics {
    ids: RefCell<HashMap<String, Option<u32>>>,
    /// What this worker has put into the gauge that all workers share.
    waiting: RefCell<usize>,
}

impl Metrics {
    /// Names the counters that are to be seen before anything happens.
    pub(super) fn define() -> Self {
        let metrics = Self::default();
        metrics.count("dry_run_would_deny", 0);
        metrics
    }

    /// Counts what dry runs would have refused.
    pub(super) fn would_deny(&self, times: usize) {
        if times > 0 {
            self.count("dry_run_would_deny", times);
        }
    }

    /// Counts a fetch by its result.
    pub(super) fn fetched(&self, source: &str, outcome: &Result<Brought, FetchError>) {
        let source = label(source);
        match outcome {
            Ok(Brought::New(..)) => self.count(&format!("key_fetches.source={source}.result=new"), 1),
            Ok(Brought::Same) => self.count(&format!("key_fetches.source={source}.result=same"), 1),
            Err(error) => self.count(&format!("key_fetches.source={source}.result={}", error.class()), 1),
        }
    }

    /// The keys of a source, and how long ago the issuer confirmed them.
    pub(super) fn keys(&self, source: &str, count: usize, age: Option<Duration>) {
        let source = label(source);
        self.gauge(&format!("keys.source={source}"), count);
        let age = age.map_or(0, |age| usize::try_from(age.as_secs()).unwrap_or(usize::MAX));
        self.gauge(&format!("keys_age_seconds.source={source}"), age);
    }

    /// How many requests wait on this worker.
    pub(super) fn waiting(&self, count: usize) {
        let before = self.waiting.replace(count);
        if count != before
            && let Some(id) = self.id(MetricType::Gauge, "waiting_requests")
        {
            let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
            silently(hostcalls::increment_metric(id, number(count) - number(before)));
        }
    }

    /// Counts a request that found no room to wait.
    pub(super) fn too_many_waiting(&self) {
        self.count("too_many_waiting", 1);
    }

    fn count(&self, name: &str, times: usize) {
        let Some(id) = self.id(MetricType::Counter, name) else { return };
        if times > 0 {
            silently(hostcalls::increment_metric(id, i64::try_from(times).unwrap_or(i64::MAX)));
        }
    }

    fn gauge(&self, name: &str, value: usize) {
        let Some(id) = self.id(MetricType::Gauge, name) else { return };
        silently(hostcalls::record_metric(id, u64::try_from(value).unwrap_or(u64::MAX)));
    }

    fn id(&self, kind: MetricType, name: &str) -> Option<u32> {
        let mut ids = self.ids.borrow_mut();
        match ids.get(name) {
            Some(id) => *id,
            None => {
                let id = hostcalls::define_metric(kind, &format!("claimgate.{name}")).ok();
                ids.insert(name.to_owned(), id);
                id
            }
        }
    }
}

/// A worker that goes takes its share of the gauge with it.
impl Drop for Metrics {
    fn drop(&mut self) {
        self.waiting(0);
    }
}

/// A name as part of a stat's name, where dots separate.
fn label(name: &str) -> String {
    let name = name.strip_prefix("https://").unwrap_or(name);
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

fn silently<E>(counted: Result<(), E>) {
    if counted.is_err() {
        log::debug!("the host does not count");
    }
}
