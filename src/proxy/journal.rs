//! Decisions in the proxy's log: one line each, refusals at info, what passes at debug.
//!
//! A refusal that the caller can't mend (5xx) is a warning. The lines of one reason are rationed, unless debug is heard.

use std::{cell::RefCell, time::Duration};

use super::{
    connection::Downstream,
    log_level::{Lately, LogLevel},
};
use crate::{
    account::{
        Account,
        ration::{LeftOut, Ration},
    },
    decision::Denial,
    gate::Gate,
    request::Request,
    time::UnixTime,
};

/// The most lines of one reason within the span.
const MOST: u32 = 10;
const SPAN: Duration = Duration::from_secs(10);

/// What one worker tells.
pub(super) struct Journal {
    ration: RefCell<Ration<Refused>>,
    level: Lately,
}

/// Refusals of a kind.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Refused {
    reason: &'static str,
    is_ours: bool,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { ration: RefCell::new(Ration::new(MOST, SPAN)), level: Lately::default() }
    }

    /// Tells of a decision.
    pub(super) fn enter(&self, gate: &mut Gate, account: &Account, request: &Request, now: UnixTime) {
        match account.denial {
            Some(denial) => self.enter_refusal(Refused::by(denial), gate, account, request, now),
            None if self.level.level(now).hears_debug() => {
                log::debug!("allowed: {}", gate.entry(account, request, now).line());
            }
            None => (),
        }
    }

    fn enter_refusal(&self, kind: Refused, gate: &mut Gate, account: &Account, request: &Request, now: UnixTime) {
        let level = LogLevel::now();
        if !kind.is_heard(level) {
            return;
        }
        self.settle(now);
        if level.hears_debug() || self.ration.borrow_mut().take(kind, now) {
            kind.tell(&gate.entry(account, request, now).line());
        }
        if level.hears_debug() {
            for candidate in gate.explain(request, &Downstream, now) {
                log::debug!("refused: {candidate}");
            }
        }
    }

    /// Tells how many refusals were left out.
    pub(super) fn settle(&self, now: UnixTime) {
        for LeftOut { kind, count, span } in self.ration.borrow_mut().settle(now) {
            kind.tell(&format!("reason={} more={count} within={}s", kind.reason, span.as_secs()));
        }
    }
}

impl Refused {
    fn by(denial: Denial) -> Self {
        Self { reason: denial.code(), is_ours: denial.status() >= 500 }
    }

    fn is_heard(self, level: LogLevel) -> bool {
        if self.is_ours { level.hears_warn() } else { level.hears_info() }
    }

    fn tell(self, line: &str) {
        if self.is_ours {
            log::warn!("refused: {line}");
        } else {
            log::info!("refused: {line}");
        }
    }
}
