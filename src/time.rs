//! A point in time. The core has no clock: `now` is an argument wherever time matters.

use std::time::Duration;

/// Time since 1970-01-01T00:00:00Z, leap seconds ignored: a NumericDate (RFC 7519 section 2).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// The point this long after the epoch.
    pub const fn since_epoch(since: Duration) -> Self {
        Self(since)
    }

    /// The point this many whole seconds after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The point `span` later, or the last one there is.
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The microseconds since the last whole second.
    pub const fn subsec_micros(self) -> u32 {
        self.0.subsec_micros()
    }
}
