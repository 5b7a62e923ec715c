//! Counters in Envoy's stats.

use proxy_wasm::{hostcalls, types::MetricType};

/// The counters of one configuration; without a host that counts they are silent.
#[derive(Clone, Copy)]
pub(super) struct Metrics {
    dry_run_would_deny: Option<u32>,
}

impl Metrics {
    /// Names the counters to the host.
    pub(super) fn define() -> Self {
        Self { dry_run_would_deny: hostcalls::define_metric(MetricType::Counter, "claimgate.dry_run_would_deny").ok() }
    }

    /// Counts what dry runs would have refused.
    pub(super) fn would_deny(self, times: usize) {
        let Some(counter) = self.dry_run_would_deny.filter(|_| times > 0) else { return };
        if hostcalls::increment_metric(counter, i64::try_from(times).unwrap_or(i64::MAX)).is_err() {
            log::debug!("the host does not count");
        }
    }
}
