//! Decisions in the proxy's log: one line each, denials at info, what passes at debug.
//!
//! A denial that the caller can't mend (5xx) is a warning. The lines of one reason are rationed, unless debug is heard.

use std::{cell::RefCell, time::Duration};

use super::{
    connection::Downstream,
    log_level::{CachedLevel, LogLevel},
};
use crate::{
    decision_log::{
        Record,
        throttle::{Suppressed, Throttle},
    },
    gate::Gate,
    reason::Reason,
    request::Request,
    time::UnixTime,
};

/// The most lines of one reason within the span.
const MOST: u32 = 10;
const SPAN: Duration = Duration::from_secs(10);

/// What one worker tells.
pub(super) struct DecisionLogger {
    throttle: RefCell<Throttle<Refused>>,
    level: CachedLevel,
}

/// Refusals of a kind.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Refused {
    reason: &'static str,
    is_ours: bool,
}

impl DecisionLogger {
    pub(super) fn new() -> Self {
        Self { throttle: RefCell::new(Throttle::new(MOST, SPAN)), level: CachedLevel::default() }
    }

    /// Tells of a decision.
    pub(super) fn enter(&self, gate: &mut Gate, record: &Record, request: &Request, now: UnixTime) {
        match record.reason {
            Some(reason) => self.enter_refusal(Refused::by(reason), gate, record, request, now),
            None if self.level.level(now).hears_debug() => {
                log::debug!("allowed: {}", gate.line(record, request, now).line());
            }
            None => (),
        }
    }

    fn enter_refusal(&self, kind: Refused, gate: &mut Gate, record: &Record, request: &Request, now: UnixTime) {
        let level = LogLevel::now();
        if !kind.is_heard(level) {
            return;
        }
        self.flush(now);
        if level.hears_debug() || self.throttle.borrow_mut().take(kind, now) {
            kind.tell(&gate.line(record, request, now).line());
        }
        if level.hears_debug() {
            for candidate in gate.explain(request, &Downstream, now) {
                log::debug!("denied: {candidate}");
            }
        }
    }

    /// Tells how many denials were left out.
    pub(super) fn flush(&self, now: UnixTime) {
        for Suppressed { kind, count, span } in self.throttle.borrow_mut().flush(now) {
            kind.tell(&format!("reason={} more={count} within={}s", kind.reason, span.as_secs()));
        }
    }
}

impl Refused {
    fn by(reason: Reason) -> Self {
        Self { reason: reason.code(), is_ours: reason.status() >= 500 }
    }

    fn is_heard(self, level: LogLevel) -> bool {
        if self.is_ours { level.hears_warn() } else { level.hears_info() }
    }

    fn tell(self, line: &str) {
        if self.is_ours {
            log::warn!("denied: {line}");
        } else {
            log::info!("denied: {line}");
        }
    }
}
