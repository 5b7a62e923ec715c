//! One request: handed to the worker, and held as long as it waits.

use std::rc::Rc;

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::worker::Worker;
use crate::request::Request;

/// A request on its way through.
pub(super) struct Http {
    id: u32,
    worker: Rc<Worker>,
}

impl Http {
    pub(super) fn new(id: u32, worker: Rc<Worker>) -> Self {
        Self { id, worker }
    }

    /// Whether nothing of the request may go on yet. Where Envoy calls for the body of a request whose headers are held
    /// (`allow_on_headers_stop_iteration`), going on with it would go on with them.
    fn held(&self) -> Action {
        if self.worker.waiting.borrow().holds(self.id) { Action::Pause } else { Action::Continue }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.worker.leave(self.id);
    }
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.worker.admit(self.id, Request::new(self.get_http_request_headers_bytes()), None)
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.worker.hand_over_trace(self.id);
        Action::Continue
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.held()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        let trailers = Request::new(self.get_http_request_trailers_bytes());
        for name in self.worker.gate.borrow().forged_trailers(&trailers) {
            self.remove_http_request_trailer(&name);
        }
        self.held()
    }
}
