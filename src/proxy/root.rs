//! One configuration on one worker, and the keys it needs: on every tick and every answer the gate says what to do.

use std::{collections::HashMap, rc::Rc, time::Duration};

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType},
};

use super::{
    clock, fetch,
    http::Http,
    shared_data::SharedData,
    worker::{IDLE_TICK, Worker},
};
use crate::{
    config::{Config, Problem, Problems},
    keys::{
        fetch::FetchError,
        source::SourceIndex,
        turn::{Brought, Report, Turn},
    },
    request::Request,
    waiting::Waiter,
};

/// How often a worker looks while requests wait.
const WAITING_TICK: Duration = Duration::from_millis(20);

/// Holds what the requests of this worker share.
pub(super) struct Root {
    id: u32,
    worker: Option<Rc<Worker>>,
    /// The calls under way.
    flights: HashMap<u32, SourceIndex>,
}

impl Root {
    pub(super) fn new(id: u32) -> Self {
        Self { id, worker: None, flights: HashMap::new() }
    }

    /// Does what a turn asks for.
    fn follow(&mut self, worker: &Worker, source: SourceIndex, turn: Turn) {
        if let Some(call) = turn.call {
            match fetch::send(&call) {
                Ok(token) => {
                    self.flights.insert(token, source);
                }
                Err(answer) => {
                    let turn = worker.gate.borrow_mut().deliver(source, answer, &SharedData, clock::now());
                    self.follow(worker, source, turn);
                }
            }
        }
        if let Some(report) = turn.report {
            let gate = worker.gate.borrow();
            if let Some(keyring) = gate.keyring(source) {
                worker.metrics.fetched(&keyring.source().name, &report.outcome);
                tell(&keyring.source().name, &report);
            }
        }
        if turn.is_ended {
            let woken = worker.waiting.borrow_mut().answered(source);
            self.wake(worker, woken);
        }
    }

    /// Has each of them decided again: what it waited for may have come, or may never come.
    fn wake(&self, worker: &Worker, woken: Vec<Waiter<Request>>) {
        for Waiter { id, until, request, .. } in woken {
            // A stream that is gone has left before.
            if hostcalls::set_effective_context(id).is_ok()
                && worker.admit(id, request, Some(until)) == Action::Continue
                && hostcalls::resume_http_request().is_err()
            {
                log::error!("the host does not resume a request");
            }
        }
        // Calls and logs are the root's again.
        if hostcalls::set_effective_context(self.id).is_err() {
            log::error!("the host does not know the root context");
        }
    }

    fn measure(worker: &Worker) {
        let now = clock::now();
        for keyring in worker.gate.borrow().keyrings() {
            let keys = keyring.current(now).map_or(0, |set| set.len());
            worker.metrics.keys(&keyring.source().name, keys, keyring.age(now));
        }
        worker.metrics.waiting(worker.waiting.borrow().len());
        worker.flush();
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, size: usize, _trailers: usize) {
        let Some((worker, source)) = self.worker.clone().zip(self.flights.remove(&token)) else { return };
        let answer = fetch::received(headers, size);
        let turn = worker.gate.borrow_mut().deliver(source, answer, &SharedData, clock::now());
        // Before anybody is woken: whoever then looks at the stats finds the keys that let them pass.
        Self::measure(&worker);
        self.follow(&worker, source, turn);
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
                worker.gate.borrow_mut().look(&SharedData, clock::now());
                worker.tick_in(WAITING_TICK);
                self.worker = Some(Rc::new(worker));
                true
            }
            Err(problems) => {
                problems.iter().filter(|it| !it.is_warning()).for_each(|error| log::error!("{}", line(error)));
                warn(&problems);
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(worker) = self.worker.clone() else { return };
        let turns = worker.gate.borrow_mut().refresh(&SharedData, clock::now());
        for (source, turn) in turns {
            self.follow(&worker, source, turn);
        }
        let expired = worker.waiting.borrow_mut().expired(clock::now());
        self.wake(&worker, expired);
        Self::measure(&worker);
        worker.decision_logger.flush(clock::now());
        worker.tick_in(if worker.waiting.borrow().is_empty() { IDLE_TICK } else { WAITING_TICK });
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Http::new(id, Rc::clone(self.worker.as_ref()?))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn tell(name: &str, report: &Report) {
    let Report { url, cluster, outcome, next_in } = report;
    let next = next_in.as_millis();
    match outcome {
        Ok(Brought::New(count, skipped)) => {
            log::info!("keys of {name}: {count} from {url}; the next fetch is in {next} ms");
            for skipped in skipped {
                let kid = skipped.kid.as_deref().unwrap_or("without a name");
                log::warn!("keys of {name}: the key {kid:?} at index {} is skipped: {}", skipped.index, skipped.reason);
            }
        }
        Ok(Brought::Same) => log::debug!("keys of {name}: the same from {url}; the next fetch is in {next} ms"),
        Err(error @ FetchError::ClusterNotFound) => log::error!(
            "keys of {name}: {}: {error}: `{cluster}`, for {url}; help: make it, in Istio by a ServiceEntry for the host, \
             or name another in `jwksCluster`; the next try is in {next} ms",
            error.class()
        ),
        Err(error) => {
            log::warn!("keys of {name}: {}: {error}, from {url}; the next try is in {next} ms", error.class());
        }
    }
}

fn warn(problems: &Problems) {
    problems.iter().filter(|it| it.is_warning()).for_each(|warning| log::warn!("{}", line(warning)));
    if problems.left_out() > 0 {
        log::warn!("configuration: and {} more", problems.left_out());
    }
}

fn line(problem: &Problem) -> String {
    match problem.helping() {
        Some(help) => format!("configuration: {problem}; help: {help}"),
        None => format!("configuration: {problem}"),
    }
}
