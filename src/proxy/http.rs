//! One request: lent to the gate, then sent on or answered.

use std::{cell::RefCell, rc::Rc, time::Duration};

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::local_reply;
use crate::{
    effect::{Effects, HeaderEdit},
    gate::{Gate, Step},
    policy::Permit,
    request::Request,
    time::UnixTime,
};

/// A request on its way through.
pub(super) struct Http {
    gate: Rc<RefCell<Gate>>,
}

impl Http {
    pub(super) fn new(gate: Rc<RefCell<Gate>>) -> Self {
        Self { gate }
    }

    fn now(&self) -> UnixTime {
        let since_epoch = self.get_current_time().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 is broken: then every token has expired.
        UnixTime::since_epoch(since_epoch.unwrap_or(Duration::MAX))
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
        match self.gate.borrow_mut().admit(&request, self.now()) {
            Step::Continue(permit, effects) => self.pass(permit, effects),
            Step::Reply(denial, reply) => {
                log::debug!("refused: {}", denial.code());
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
