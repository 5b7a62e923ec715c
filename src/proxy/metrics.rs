//! Counters and gauges in Envoy's stats.
//!
//! Every stat is defined once and known by its number from then on; those of an allowed request at configuration.

use std::{cell::RefCell, collections::HashMap, iter, time::Duration};

use proxy_wasm::{hostcalls, types::MetricType};

use crate::{
    authenticate::{
        provider::{Provider, ProviderIndex},
        token_cache::CacheStats,
    },
    metric::{Kind, Metric, NONE, label},
    oauth::{fetch_error::FetchError, report::Change},
    reason::Reason,
};

/// The metrics of one configuration on one worker; without a host that counts they are silent.
pub(super) struct Metrics {
    ids: RefCell<HashMap<String, Option<u32>>>,
    providers: Vec<String>,
    /// Of requests let pass, by rule; the last is without one.
    allowed: Vec<Option<u32>>,
    /// What this worker has put into the gauge that all workers share.
    waiting: RefCell<usize>,
}

impl Metrics {
    /// Defines what is to be seen before anything happens.
    pub(super) fn define(providers: &[Provider]) -> Self {
        let providers: Vec<String> = providers.iter().map(|provider| label(&provider.name).to_owned()).collect();
        let mut metrics = Self { ids: RefCell::default(), providers, allowed: Vec::new(), waiting: RefCell::default() };
        let providers = metrics.providers.iter().map(String::as_str).chain(iter::once(NONE));
        metrics.allowed = providers.map(|provider| metrics.id(&Metric::DECISIONS, &["allowed", provider])).collect();
        for metric in Metric::ALL.iter().filter(|metric| metric.labels.is_empty()) {
            metrics.id(metric, &[]);
        }
        metrics
    }

    /// Counts a request let pass, in one call to the host.
    pub(super) fn allowed(&self, provider: Option<ProviderIndex>) {
        let place = provider.map_or(self.providers.len(), |ProviderIndex(place)| place);
        increment(self.allowed.get(place).copied().flatten(), 1);
    }

    /// Counts a denial.
    pub(super) fn denied(&self, reason: Reason, provider: Option<ProviderIndex>, rule: Option<&str>) {
        let provider = provider.and_then(|ProviderIndex(place)| self.providers.get(place)).map_or(NONE, String::as_str);
        let values = ["denied", provider, reason.code()];
        match rule {
            Some(rule) => self.count(&Metric::DECISIONS, &[&values[..], &[rule]].concat(), 1),
            None => self.count(&Metric::DECISIONS, &values, 1),
        }
    }

    /// Counts what dry runs would have refused.
    pub(super) fn would_deny(&self, policies: &[Option<String>]) {
        for policy in policies {
            self.count(&Metric::DRY_RUN_WOULD_DENY, &[policy.as_deref().unwrap_or(NONE)], 1);
        }
    }

    /// Counts headers that were to carry a claim and could not.
    pub(super) fn dropped(&self, headers: &[(String, String)]) {
        for (provider, header) in headers {
            self.count(&Metric::HEADERS_DROPPED, &[label(provider), header], 1);
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

    /// The keys of a source, and how long ago the issuer confirmed them.
    pub(super) fn keys(&self, source: &str, count: usize, age: Option<Duration>) {
        self.record(&Metric::KEYS, &[label(source)], u64::try_from(count).unwrap_or(u64::MAX));
        self.record(&Metric::KEYS_AGE_SECONDS, &[label(source)], age.map_or(0, |age| age.as_secs()));
    }

    /// How many requests wait on this worker.
    pub(super) fn waiting(&self, count: usize) {
        let before = self.waiting.replace(count);
        if count != before {
            let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
            increment(self.id(&Metric::WAITING_REQUESTS, &[]), number(count) - number(before));
        }
    }

    /// Counts a request that found no room to wait.
    pub(super) fn too_many_waiting(&self) {
        self.count(&Metric::TOO_MANY_WAITING, &[], 1);
    }

    fn count(&self, metric: &Metric, values: &[&str], times: usize) {
        if times > 0 {
            increment(self.id(metric, values), i64::try_from(times).unwrap_or(i64::MAX));
        }
    }

    fn record(&self, metric: &Metric, values: &[&str], value: u64) {
        if let Some(id) = self.id(metric, values) {
            silently(hostcalls::record_metric(id, value));
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
