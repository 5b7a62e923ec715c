//! What the root and the requests of one worker share: the gate, and those that wait before it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};

use proxy_wasm::{
    hostcalls,
    types::{Action, MapType},
};

use super::{clock, connection::Downstream, decision_logger::DecisionLogger, local_reply, metrics::Metrics};
use crate::{
    config::Config,
    decision_log::Record,
    gate::{Decision, Gate, Step},
    oauth::jwks_cache::JwksCache,
    policy::{Permit, Shadow},
    reason::Reason,
    request::{HeaderEdit, Request},
    time::UnixTime,
    upstream::Effects,
    waiting::{Waiter, Waiting},
};

/// How often a worker looks for what others have brought, and tells what it has counted.
pub(super) const IDLE_TICK: Duration = Duration::from_millis(500);
/// Soon: somebody waits for what the next tick begins.
const NEXT_TICK: Duration = Duration::from_millis(1);

thread_local! {
    /// What this VM has fetched, for all its configurations.
    static JWKS: RefCell<JwksCache> = RefCell::default();
}

/// One configuration on one worker.
pub(super) struct Worker {
    pub(super) gate: RefCell<Gate>,
    pub(super) waiting: RefCell<Waiting<Request>>,
    pub(super) metrics: Metrics,
    pub(super) decision_logger: DecisionLogger,
    debug_header: Option<String>,
    /// Of the requests that asked.
    traces: RefCell<HashMap<u32, String>>,
    is_scheduled: Cell<bool>,
}

impl Worker {
    pub(super) fn new(config: Config) -> Self {
        let gate = JWKS.with_borrow_mut(|cache| Gate::sharing(config, cache));
        Self {
            waiting: RefCell::new(Waiting::new(gate.max_waiting_requests())),
            metrics: Metrics::define(gate.providers()),
            debug_header: gate.debug_header().map(str::to_owned),
            traces: RefCell::default(),
            gate: RefCell::new(gate),
            decision_logger: DecisionLogger::new(),
            is_scheduled: Cell::new(false),
        }
    }

    /// Decides a request and does what is decided, for the stream in whose name the host is called just now. One that has
    /// waited brings the time until which it does.
    pub(super) fn admit(&self, id: u32, request: Request, until: Option<UnixTime>) -> Action {
        let now = clock::now();
        let mut gate = self.gate.borrow_mut();
        let Decision { step, shadow, mut record } = match until {
            Some(until) if until <= now => gate.admit_without_waiting(&request, &Downstream, now),
            _ => gate.admit(&request, &Downstream, now),
        };
        say(&shadow);
        self.metrics.would_deny(&shadow.would_deny);
        if !matches!(step, Step::Wait(..)) {
            self.tell(id, &mut gate, &record, &request, now);
        }
        match step {
            Step::Continue(permit, effects) => {
                self.metrics.dropped(&effects.dropped);
                pass(permit, effects)
            }
            Step::Reply(_, reply) => {
                local_reply::send(&reply);
                Action::Pause
            }
            Step::Wait(source, patience) => {
                let until = until.unwrap_or_else(|| now.plus(patience));
                let entered = self.waiting.borrow_mut().enter(Waiter { id, source, until, request });
                match entered {
                    Ok(()) => self.schedule(),
                    Err(request) => {
                        self.metrics.too_many_waiting();
                        record.reason = Some(Reason::TooManyWaiting);
                        self.tell(id, &mut gate, &record, &request, now);
                        local_reply::send(&gate.refuse(Reason::TooManyWaiting, &request));
                    }
                }
                self.metrics.waiting(self.waiting.borrow().len());
                Action::Pause
            }
        }
    }

    /// Tells whoever watches what was decided.
    fn tell(&self, id: u32, gate: &mut Gate, record: &Record, request: &Request, now: UnixTime) {
        match record.reason {
            None => self.metrics.allowed(record.provider),
            Some(reason) => self.metrics.denied(reason, record.provider, record.rule.as_deref()),
        }
        for (key, value) in gate.filter_state(record) {
            // One element is one name; the host puts `wasm.` before it.
            if hostcalls::set_property(vec![key], Some(value.as_bytes())).is_err() {
                log::error!("the host has no filter state");
            }
        }
        self.decision_logger.enter(gate, record, request, now);
        if let Some(trace) = gate.trace(record, request, &Downstream, now) {
            self.traces.borrow_mut().insert(id, trace);
        }
    }

    /// Puts the trace on the response of a request that asked, and takes what poses as one off all others.
    pub(super) fn hand_over_trace(&self, id: u32) {
        const HEADERS: MapType = MapType::HttpResponseHeaders;
        let Some(header) = &self.debug_header else { return };
        let edited = match self.traces.borrow_mut().remove(&id) {
            Some(trace) => hostcalls::set_map_value(HEADERS, header, Some(&trace)),
            None => hostcalls::remove_map_value(HEADERS, header),
        };
        if edited.is_err() {
            log::error!("the host does not change headers");
        }
    }

    /// Forgets a request that has gone away.
    pub(super) fn leave(&self, id: u32) {
        self.traces.borrow_mut().remove(&id);
        self.waiting.borrow_mut().leave(id);
        self.metrics.waiting(self.waiting.borrow().len());
    }

    /// Lets the root know that there is something to do; once, for each time anew would put it off.
    fn schedule(&self) {
        if !self.is_scheduled.replace(true) {
            self.tick_in(NEXT_TICK);
        }
    }

    /// Tells the host what has been counted here, so that a request need not.
    pub(super) fn flush(&self) {
        let stats = self.gate.borrow_mut().take_cache_stats();
        self.metrics.tokens(stats);
    }

    /// When the root looks again.
    pub(super) fn tick_in(&self, span: Duration) {
        self.is_scheduled.set(span == NEXT_TICK);
        if hostcalls::set_tick_period(span).is_err() {
            log::error!("the host has no clock: keys are not fetched");
        }
    }
}

/// What was counted last is not lost.
impl Drop for Worker {
    fn drop(&mut self) {
        self.flush();
    }
}

/// The one way on: it takes a permit.
fn pass(_permit: Permit, effects: Effects) -> Action {
    const HEADERS: MapType = MapType::HttpRequestHeaders;
    for edit in effects.edits {
        let edited = match &edit {
            HeaderEdit::Remove(name) => hostcalls::remove_map_value(HEADERS, name),
            HeaderEdit::Set(name, value) => hostcalls::set_map_value_bytes(HEADERS, name, Some(value)),
            HeaderEdit::Add(name, value) => hostcalls::add_map_value_bytes(HEADERS, name, value),
        };
        if edited.is_err() {
            // What may be forged does not go on.
            log::error!("the host does not change headers");
            return Action::Pause;
        }
    }
    if effects.clear_route_cache && hostcalls::call_foreign_function("clear_route_cache", None).is_err() {
        // The route may have been chosen by what was forged.
        log::error!("the host does not choose the route anew");
        return Action::Pause;
    }
    for (provider, header) in effects.dropped {
        log::debug!("{provider}: {header} is not sent, for no header can carry the claim's value");
    }
    Action::Continue
}

fn say(shadow: &Shadow) {
    for rule in &shadow.audited {
        log::info!("audit: {rule}");
    }
    for rule in &shadow.would_deny {
        log::info!("dry run: would deny by {}", rule.as_deref().unwrap_or("no rule that allows"));
    }
}
