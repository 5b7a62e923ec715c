//! Decisions in the proxy's log: one line each, denials at info, what passes at debug.
//!
//! A denial that the caller can do nothing about (5xx) is a warning. The lines of one reason are throttled, unless debug is
//! heard.

use std::cell::RefCell;

use super::{
    connection::Downstream,
    log_level::{CachedLevel, LogLevel},
};
use crate::{
    decision_log::{
        Record,
        denials::{DenialThrottle, Kind},
    },
    gate::Gate,
    reason::Reason,
    request::Request,
    time::UnixTime,
};

/// What one worker logs.
#[derive(Default)]
pub(super) struct DecisionLogger {
    throttle: RefCell<DenialThrottle>,
    level: CachedLevel,
}

impl DecisionLogger {
    /// Logs a decision.
    pub(super) fn log(&self, gate: &Gate, record: &Record, request: &Request, now: UnixTime) {
        record.notes().for_each(|note| log::info!("{note}"));
        match record.reason() {
            Some(reason) => self.log_denial(reason, gate, record, request, now),
            None if self.level.level(now).hears_debug() => {
                log::debug!("{}", gate.line(record, request, now));
                record.mutation.unwritable.iter().for_each(|missing| log::debug!("{missing}"));
            }
            None => (),
        }
    }

    fn log_denial(&self, reason: Reason, gate: &Gate, record: &Record, request: &Request, now: UnixTime) {
        let (level, kind) = (LogLevel::now(), Kind::of(reason));
        if !(if kind.is_ours { level.hears_warn() } else { level.hears_info() }) {
            return;
        }
        self.flush(now);
        if level.hears_debug() || self.throttle.borrow_mut().admits(kind, now) {
            write(kind, &gate.line(record, request, now).to_string());
        }
        if level.hears_debug() {
            for candidate in gate.explain(record, request, &Downstream) {
                log::debug!("denied: {candidate}");
            }
        }
    }

    /// Logs how many denials were left out.
    pub(super) fn flush(&self, now: UnixTime) {
        for not_written in self.throttle.borrow_mut().flush(now) {
            write(not_written.kind(), &not_written.to_string());
        }
    }
}

fn write(kind: Kind, line: &str) {
    if kind.is_ours {
        log::warn!("{line}");
    } else {
        log::info!("{line}");
    }
}
