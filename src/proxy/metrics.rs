//! Counters and gauges in Envoy's stats.
//!
//! Every stat is defined once and known by its number from then on; those of an allowed request at configuration.

use std::{cell::RefCell, collections::HashMap, iter, time::Duration};

use proxy_wasm::{hostcalls, types::MetricType};

use crate::{
    authenticate::{provider::Provider, token_cache::CacheStats},
    decision_log::Record,
    metric::{Kind, Metric, NONE, label},
    oauth::{fetch_error::FetchError, report::Change},
    reason::Reason,
};

/// The metrics of one configuration on one worker; without a host that counts they are silent.
pub(super) struct Metrics {
    ids: RefCell<HashMap<String, Option<u32>>>,
    /// Of requests let pass, by rule; the last is without one.
    allowed: Vec<Option<u32>>,
    /// What this worker has put into the gauge that all workers share.
    waiting: RefCell<usize>,
    /// What it last wrote into gauges of which the worst value of any worker is shown.
    worst: RefCell<HashMap<u32, u64>>,
}

impl Metrics {
    /// Defines what is to be seen before anything happens.
    pub(super) fn define<'a>(providers: impl Iterator<Item = &'a Provider>, verified_by_host: usize) -> Self {
        let mut metrics = Self {
            ids: RefCell::default(),
            allowed: Vec::new(),
            waiting: RefCell::default(),
            worst: RefCell::default(),
        };
        let labels = providers.map(|provider| label(&provider.name)).chain(iter::once(NONE));
        metrics.allowed = labels.map(|provider| metrics.id(&Metric::DECISIONS, &["allowed", provider])).collect();
        for metric in Metric::ALL.iter().filter(|metric| metric.labels.is_empty()) {
            metrics.id(metric, &[]);
        }
        if let Some(id) = metrics.id(&Metric::HOST_CRYPTO_ALGORITHMS, &[]) {
            silently(hostcalls::record_metric(id, u64::try_from(verified_by_host).unwrap_or(u64::MAX)));
        }
        metrics
    }

    /// Counts a decision and what it notes; a request that passes costs one call to the host.
    pub(super) fn decided(&self, record: &Record) {
        match record.denial.as_ref().map(|denial| denial.reason) {
            None => {
                let first = record.identities.first().map(|identity| identity.provider.index.0);
                increment(
                    self.allowed.get(first.unwrap_or(self.allowed.len().saturating_sub(1))).copied().flatten(),
                    1,
                );
            }
            Some(reason) => {
                let values = ["denied", record.provider().map_or(NONE, label), reason.code()];
                let values = values.into_iter().chain(record.rule());
                self.count(&Metric::DECISIONS, &values.collect::<Vec<_>>(), 1);
                if reason == Reason::TooManyWaiting {
                    self.count(&Metric::TOO_MANY_WAITING, &[], 1);
                }
            }
        }
        for rule in record.shadow.iter().flat_map(|shadow| &shadow.would_deny) {
            self.count(&Metric::DRY_RUN_WOULD_DENY, &[rule.as_deref().unwrap_or(NONE)], 1);
        }
        for missing in &record.mutation.unwritable {
            self.count(&Metric::HEADERS_DROPPED, &[label(&missing.provider), missing.header.as_str()], 1);
        }
    }

    /// Counts good tokens, those that were known and those that were not.
    pub(super) fn tokens(&self, CacheStats { hits, misses }: CacheStats) {
        self.count(&Metric::TOKEN_CACHE_HITS, &[], hits);
        self.count(&Metric::TOKEN_CACHE_MISSES, &[], misses);
    }

    /// Counts a fetch by its result.
    pub(super) fn fetched(&self, source: &str, outcome: &Result<Change, FetchError>) {
        let result = match outcome {
            Ok(Change::Updated(..)) => "new".into(),
            Ok(Change::Unchanged) => "same".into(),
            Err(error) => error.class(),
        };
        self.count(&Metric::KEY_FETCHES, &[label(source), &result], 1);
    }

    /// The keys of a source, and how long ago the issuer confirmed them: of the worker with the fewest and of the one with
    /// the oldest.
    pub(super) fn keys(&self, source: &str, count: usize, age: Option<Duration>) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.worst(&Metric::KEYS, &[label(source)], count, |own, shown| own < shown);
        let age = age.map_or(0, |age| age.as_secs());
        self.worst(&Metric::KEYS_AGE_SECONDS, &[label(source)], age, |own, shown| own > shown);
    }

    /// Forgets what other workers wrote: some of them may be gone.
    pub(super) fn unsettle(&self) {
        self.worst.borrow_mut().clear();
    }

    /// How many requests wait on this worker.
    pub(super) fn waiting(&self, count: usize) {
        let before = self.waiting.replace(count);
        if count != before {
            let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
            increment(self.id(&Metric::WAITING_REQUESTS, &[]), number(count) - number(before));
        }
    }

    fn count(&self, metric: &Metric, values: &[&str], times: usize) {
        if times > 0 {
            increment(self.id(metric, values), i64::try_from(times).unwrap_or(i64::MAX));
        }
    }

    /// Writes a value that is worse than the one shown, or whose own predecessor is the one shown.
    fn worst(&self, metric: &Metric, values: &[&str], own: u64, is_worse: impl Fn(u64, u64) -> bool) {
        let Some(id) = self.id(metric, values) else { return };
        let Ok(shown) = hostcalls::get_metric(id) else { return silently(Err(())) };
        let mut written = self.worst.borrow_mut();
        let is_own = written.get(&id).is_none_or(|before| *before == shown);
        if is_own || is_worse(own, shown) {
            written.insert(id, own);
            if own != shown {
                silently(hostcalls::record_metric(id, own));
            }
        }
    }

    fn id(&self, metric: &Metric, values: &[&str]) -> Option<u32> {
        let kind = match metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
        };
        let define = |stat: &String| hostcalls::define_metric(kind, stat).ok();
        *self.ids.borrow_mut().entry(metric.stat(values)).or_insert_with_key(define)
    }
}

/// A worker that goes takes its share of the gauge with it.
impl Drop for Metrics {
    fn drop(&mut self) {
        self.waiting(0);
    }
}

fn increment(id: Option<u32>, offset: i64) {
    if let Some(id) = id {
        silently(hostcalls::increment_metric(id, offset));
    }
}

fn silently<E>(counted: Result<(), E>) {
    if counted.is_err() {
        log::debug!("the host does not count");
    }
}
