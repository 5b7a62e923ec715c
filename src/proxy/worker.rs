//! What the root and the requests of one worker share: the gate, and the requests that wait before it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use log::Level;
use proxy_wasm::{
    hostcalls,
    types::{Action, MapType},
};

use super::{
    clock, connection::Downstream, decision_logger::DecisionLogger, local_reply, metrics::Metrics, stream::Stream,
    verify_signature::ForeignFunction,
};
use crate::{
    config::Config,
    crypto::Host,
    decision_log::Record,
    gate::{Decision, Gate, Step},
    oauth::jwks_cache::JwksCache,
    outbound::wait_queue::StreamId,
    policy::Permit,
    request::{HeaderEdit, Request},
    time::UnixTime,
    upstream::HeaderMutation,
};

/// How often a worker looks for what others have fetched, and counts.
pub(super) const IDLE_TICK: Duration = Duration::from_millis(500);
/// At once: a request waits for what the next tick begins.
const NEXT_TICK: Duration = Duration::from_millis(1);

thread_local! {
    /// What this VM has fetched, for all its configurations.
    static JWKS: RefCell<JwksCache> = RefCell::default();
}

/// One configuration on one worker.
pub(super) struct Worker {
    pub(super) gate: RefCell<Gate>,
    pub(super) metrics: Metrics,
    pub(super) decision_logger: DecisionLogger,
    waiting: RefCell<HashMap<StreamId, Rc<Stream>>>,
    is_scheduled: Cell<bool>,
}

impl Worker {
    pub(super) fn new(config: Config) -> Self {
        let host = Host::probe(ForeignFunction, config.host_crypto);
        log::log!(if host.is_lacking() { Level::Warn } else { Level::Info }, "{host}");
        let verified_by_host = host.algorithms().len();
        let gate = JWKS.with_borrow_mut(|cache| Gate::sharing(config, cache, Box::new(host)));
        Self {
            metrics: Metrics::define(gate.providers(), verified_by_host),
            decision_logger: DecisionLogger::default(),
            waiting: RefCell::default(),
            is_scheduled: Cell::new(false),
            gate: RefCell::new(gate),
        }
    }

    /// Decides a request and does what is decided, for the stream in whose name the host is called just now.
    pub(super) fn admit(&self, stream: &Rc<Stream>, request: &Request) {
        let now = clock::now();
        let Decision { step, record } = self.gate.borrow_mut().admit(stream.id, request, &Downstream, now);
        match step {
            Step::Wait => {
                self.waiting.borrow_mut().insert(stream.id, Rc::clone(stream));
                self.metrics.waiting(self.gate.borrow().waiting());
                self.schedule();
            }
            Step::Reply(reply) => {
                self.record(stream, &record, request, now);
                local_reply::send(&reply);
            }
            Step::Forward(permit) => {
                self.record(stream, &record, request, now);
                forward(stream, permit, &record.mutation);
            }
        }
    }

    /// Has a request that waits decided again.
    pub(super) fn resume(&self, id: StreamId) {
        let Some(stream) = self.waiting.borrow_mut().remove(&id) else { return };
        if hostcalls::set_effective_context(id.0).is_err() {
            // The stream is gone.
            return self.leave(id);
        }
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders);
        self.admit(&stream, &Request::new(headers.unwrap_or_default()));
        if stream.action() == Action::Continue && hostcalls::resume_http_request().is_err() {
            log::error!("the host does not resume a request");
        }
    }

    /// Shows what was decided to whoever watches.
    fn record(&self, stream: &Stream, record: &Record, request: &Request, now: UnixTime) {
        let gate = self.gate.borrow();
        self.metrics.decided(record);
        for (key, value) in gate.filter_state(record) {
            // One element is one name; the host puts `wasm.` before it.
            if hostcalls::set_property(vec![key], Some(value.as_bytes())).is_err() {
                log::error!("the host has no filter state");
            }
        }
        self.decision_logger.log(&gate, record, request, now);
        stream.trace.replace(gate.trace(record, request, &Downstream, now));
    }

    /// Puts the trace on the response of a request that asked, and takes what poses as one off all others.
    pub(super) fn hand_over_trace(&self, stream: &Stream) {
        self.remove_traces(MapType::HttpResponseHeaders);
        let gate = self.gate.borrow();
        let Some((header, trace)) = gate.debug_header().zip(stream.trace.take()) else { return };
        if hostcalls::set_map_value(MapType::HttpResponseHeaders, header.as_str(), Some(&trace)).is_err() {
            log::error!("the host does not change headers");
        }
    }

    /// Takes what poses as a trace off the trailers of a response.
    pub(super) fn remove_traces_of_others(&self) {
        self.remove_traces(MapType::HttpResponseTrailers);
    }

    fn remove_traces(&self, map: MapType) {
        let gate = self.gate.borrow();
        let Some(header) = gate.debug_header() else { return };
        let sent = Request::new(hostcalls::get_map_bytes(map).unwrap_or_default());
        for name in sent.names().filter(|name| header.is(name)) {
            if hostcalls::remove_map_value(map, name).is_err() {
                log::error!("the host does not change headers");
            }
        }
    }

    /// Forgets a request that is gone.
    pub(super) fn leave(&self, id: StreamId) {
        self.waiting.borrow_mut().remove(&id);
        self.gate.borrow_mut().leave(id);
        self.metrics.waiting(self.gate.borrow().waiting());
    }

    /// Lets the root know that there is something to do; once, for each time anew would put it off.
    fn schedule(&self) {
        if !self.is_scheduled.replace(true) {
            self.tick_in(NEXT_TICK);
        }
    }

    /// Tells the host what has been counted here, so that a request need not.
    pub(super) fn flush(&self) {
        self.metrics.tokens(self.gate.borrow_mut().take_cache_stats());
    }

    /// When the root is called again.
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

/// The one way on. A request whose headers the host does not change stays: what may be forged does not go on.
fn forward(stream: &Stream, permit: Permit, mutation: &HeaderMutation) {
    if mutation.edits.iter().any(|edit| !perform(edit)) {
        log::error!("the host does not change headers");
        return;
    }
    if mutation.clear_route_cache && hostcalls::call_foreign_function("clear_route_cache", None).is_err() {
        // The route may have been chosen by what was forged.
        log::error!("the host does not choose the route anew");
        return;
    }
    stream.permit(permit);
}

fn perform(edit: &HeaderEdit) -> bool {
    const HEADERS: MapType = MapType::HttpRequestHeaders;
    let performed = match edit {
        HeaderEdit::Remove(name) => hostcalls::remove_map_value(HEADERS, name),
        HeaderEdit::Set(name, value) => hostcalls::set_map_value_bytes(HEADERS, name, Some(value)),
        HeaderEdit::Add(name, value) => hostcalls::add_map_value_bytes(HEADERS, name, value),
    };
    performed.is_ok()
}
