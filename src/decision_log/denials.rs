//! The lines about denials, few of each kind: the first ones are written, the rest is counted.

use std::{fmt, time::Duration};

use super::throttle::{Suppressed, Throttle};
use crate::{reason::Reason, time::UnixTime};

/// The most lines about one reason within the span.
const MOST: u32 = 10;
const SPAN: Duration = Duration::from_secs(10);

/// Denials of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Kind {
    code: &'static str,
    /// Whether the caller can do nothing about it (5xx), so that it is a warning.
    pub is_ours: bool,
}

/// What one worker writes about denials.
#[derive(Debug)]
pub struct DenialThrottle(Throttle<Kind>);

/// How many lines of a kind were not written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotWritten(Suppressed<Kind>);

impl Kind {
    /// The kind of a reason.
    pub fn of(reason: Reason) -> Self {
        Self { code: reason.code(), is_ours: reason.status() >= 500 }
    }
}

impl Default for DenialThrottle {
    fn default() -> Self {
        Self(Throttle::new(MOST, SPAN))
    }
}

impl DenialThrottle {
    /// Whether to write one more; if not, it is counted.
    pub fn admits(&mut self, kind: Kind, now: UnixTime) -> bool {
        self.0.take(kind, now)
    }

    /// What was not written in spans that have ended.
    pub fn flush(&mut self, now: UnixTime) -> impl Iterator<Item = NotWritten> + use<> {
        self.0.flush(now).into_iter().map(NotWritten)
    }
}

impl NotWritten {
    /// What they were about.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Suppressed { kind, count, span } = self.0;
        write!(f, "denied: reason={} more={count} within={}s", kind.code, span.as_secs())
    }
}
