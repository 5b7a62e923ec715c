//! One request: lent to the gate, then sent on or answered.

use std::{cell::RefCell, rc::Rc, time::Duration};

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::{connection::Downstream, local_reply, log_level, metrics::Metrics};
use crate::{
    decision::Denial,
    effect::{Effects, HeaderEdit},
    gate::{Decision, Gate, Step},
    policy::{Permit, Remarks},
    request::Request,
    time::UnixTime,
};

/// A request on its way through.
pub(super) struct Http {
    gate: Rc<RefCell<Gate>>,
    metrics: Metrics,
}

impl Http {
    pub(super) fn new(gate: Rc<RefCell<Gate>>, metrics: Metrics) -> Self {
        Self { gate, metrics }
    }

    fn now(&self) -> UnixTime {
        let since_epoch = self.get_current_time().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is broken: then every token has expired.
        UnixTime::since_epoch(since_epoch.unwrap_or(Duration::MAX))
    }

    /// Logs the reason, and of a refusal by policy what each rule lacked. Nothing a client sent is in it.
    fn say_why(&self, denial: Denial, request: &Request) {
        log::debug!("refused: {}", denial.code());
        for candidate in self.gate.borrow_mut().explain(request, &Downstream, self.now()) {
            log::debug!("refused: {candidate}");
        }
    }

    /// The one way on: it takes a permit.
    fn pass(&self, _permit: Permit, effects: Effects) -> Action {
        for edit in effects.edits {
            match edit {
                HeaderEdit::Remove(name) => self.remove_http_request_header(&name),
                HeaderEdit::Set(name, value) => self.set_http_request_header_bytes(&name, Some(&value)),
                HeaderEdit::Add(name, value) => self.add_http_request_header_bytes(&name, &value),
            }
        }
        for (rule, header) in effects.dropped {
            log::debug!("{rule}: {header} is not sent, for no header can carry the claim's value");
        }
        Action::Continue
    }
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let request = Request::new(self.get_http_request_headers_bytes());
        let Decision { step, remarks } = self.gate.borrow_mut().admit(&request, &Downstream, self.now());
        say(&remarks);
        self.metrics.would_deny(remarks.would_deny.len());
        match step {
            Step::Continue(permit, effects) => self.pass(permit, effects),
            Step::Reply(denial, reply) => {
                if log_level::hears_debug() {
                    self.say_why(denial, &request);
                }
                local_reply::send(&reply);
                Action::Pause
            }
        }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        let trailers = Request::new(self.get_http_request_trailers_bytes());
        for name in self.gate.borrow().forged_trailers(&trailers) {
            self.remove_http_request_trailer(&name);
        }
        Action::Continue
    }
}

fn say(remarks: &Remarks) {
    for rule in &remarks.audited {
        log::info!("audit: {rule}");
    }
    for rule in &remarks.would_deny {
        log::info!("dry run: would deny by {}", rule.as_deref().unwrap_or("no rule that allows"));
    }
}
