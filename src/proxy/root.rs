//! One configuration on one worker, and the keys it needs: on every tick and every answer the gate says what to do.

use std::{collections::HashMap, rc::Rc, time::Duration};

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::ContextType,
};

use super::{
    clock, fetch,
    shared_data::SharedData,
    stream::Http,
    worker::{IDLE_TICK, Worker},
};
use crate::{
    config::{Config, Problems},
    oauth::{output::Output, report::Level},
    outbound::{SourceIndex, wait_queue::StreamId},
};

/// How often a worker looks while requests wait.
const WAITING_TICK: Duration = Duration::from_millis(20);

/// Holds what the requests of this worker share.
pub(super) struct Root {
    id: u32,
    worker: Option<Rc<Worker>>,
    /// The calls under way.
    pending: HashMap<u32, SourceIndex>,
}

impl Root {
    pub(super) fn new(id: u32) -> Self {
        Self { id, worker: None, pending: HashMap::new() }
    }

    /// Does what a turn asks for.
    fn perform(&mut self, worker: &Worker, source: SourceIndex, output: Output) {
        if let Some(call) = output.call {
            match fetch::send(&call) {
                Ok(token) => {
                    self.pending.insert(token, source);
                }
                Err(answer) => {
                    let output = worker.gate.borrow_mut().deliver(source, answer, &SharedData, clock::now());
                    worker.metrics.unsettle();
                    self.perform(worker, source, output);
                }
            }
        }
        if let Some(report) = output.report {
            worker.metrics.fetched(&report.name, &report.outcome);
            report.lines().into_iter().for_each(|(of, line)| log::log!(level(of), "{line}"));
        }
        if output.is_ended {
            let waiting = worker.gate.borrow().waiting_for(source);
            self.resume(worker, waiting);
        }
    }

    /// Has each of them decided again: what it waited for may have come, or may never come.
    fn resume(&self, worker: &Worker, streams: Vec<StreamId>) {
        if streams.is_empty() {
            return;
        }
        streams.into_iter().for_each(|stream| worker.resume(stream));
        // Calls and logs are the root's again.
        if hostcalls::set_effective_context(self.id).is_err() {
            log::error!("the host does not know the root context");
        }
    }

    fn measure(worker: &Worker) {
        let now = clock::now();
        for remote in worker.gate.borrow().remote_jwks() {
            let keys = remote.current(now).map_or(0, |set| set.len());
            worker.metrics.keys(&remote.source().name, keys, remote.age(now));
        }
        worker.metrics.waiting(worker.gate.borrow().waiting());
        worker.flush();
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        let Some((worker, source)) = self.worker.clone().zip(self.pending.remove(&token)) else { return };
        let answer = fetch::received(headers, size);
        let output = worker.gate.borrow_mut().deliver(source, answer, &SharedData, clock::now());
        worker.metrics.unsettle();
        // Before anybody is woken: whoever then looks at the stats finds the keys that let them pass.
        Self::measure(&worker);
        self.perform(&worker, source, output);
    }
}

impl RootContext for Root {
    /// Refuses a configuration with problems: at start Envoy does not come up, on an update it keeps the old one.
    fn on_configure(&mut self, _size: usize) -> bool {
        let written = self.get_plugin_configuration().unwrap_or_default();
        match Config::parse(&written) {
            Ok((config, warnings)) => {
                warn(&warnings);
                let worker = Worker::new(config);
                // What is known already serves from the first request on; the fetching begins with the first tick.
                worker.gate.borrow_mut().sync(&SharedData, clock::now());
                worker.tick_in(WAITING_TICK);
                self.worker = Some(Rc::new(worker));
                true
            }
            Err(problems) => {
                problems.iter().filter(|it| !it.is_warning()).for_each(|error| log::error!("{}", error.line()));
                warn(&problems);
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(worker) = self.worker.clone() else { return };
        let outputs = worker.gate.borrow_mut().poll(&SharedData, clock::now());
        for (source, output) in outputs {
            self.perform(&worker, source, output);
        }
        let expired = worker.gate.borrow().expired(clock::now());
        self.resume(&worker, expired);
        Self::measure(&worker);
        worker.decision_logger.flush(clock::now());
        worker.tick_in(if worker.gate.borrow().waiting() == 0 { IDLE_TICK } else { WAITING_TICK });
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(id, Rc::clone(self.worker.as_ref()?))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn warn(problems: &Problems) {
    problems.iter().filter(|it| it.is_warning()).for_each(|warning| log::warn!("{}", warning.line()));
    if problems.left_out() > 0 {
        log::warn!("configuration: and {} more", problems.left_out());
    }
}

fn level(level: Level) -> log::Level {
    match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    }
}
