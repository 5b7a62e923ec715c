//! One request, and what the worker knows of it until it is gone.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use super::worker::Worker;
use crate::{outbound::wait_queue::StreamId, policy::Permit, request::Request};

/// A request on its way through.
pub(super) struct Stream {
    pub(super) id: StreamId,
    permit: Cell<Option<Permit>>,
    /// For whoever asked for it.
    pub(super) trace: RefCell<Option<String>>,
}

impl Stream {
    pub(super) fn new(id: u32) -> Self {
        Self { id: StreamId(id), permit: Cell::default(), trace: RefCell::default() }
    }

    /// From now on the request goes on.
    pub(super) fn permit(&self, permit: Permit) {
        self.permit.set(Some(permit));
    }

    /// What the proxy may do with a part of the request: nothing goes on without a permit. Where Envoy calls for the body of a
    /// request whose headers are held (`allow_on_headers_stop_iteration`), going on with it would go on with them.
    pub(super) fn action(&self) -> Action {
        let permit = self.permit.take();
        let action = if permit.is_some() { Action::Continue } else { Action::Pause };
        self.permit.set(permit);
        action
    }
}

/// The proxy's side of a request.
pub(super) struct Http {
    stream: Rc<Stream>,
    worker: Rc<Worker>,
}

impl Http {
    pub(super) fn new(id: u32, worker: Rc<Worker>) -> Self {
        Self { stream: Rc::new(Stream::new(id)), worker }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.worker.leave(self.stream.id);
    }
}

impl Context for Http {}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.worker.admit(&self.stream, &Request::new(self.get_http_request_headers_bytes()));
        self.stream.action()
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.stream.action()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        let trailers = Request::new(self.get_http_request_trailers_bytes());
        for name in self.worker.gate.borrow().forged_trailers(&trailers) {
            self.remove_http_request_trailer(name);
        }
        self.stream.action()
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.worker.hand_over_trace(&self.stream);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _count: usize) -> Action {
        self.worker.remove_traces_of_others();
        Action::Continue
    }
}
