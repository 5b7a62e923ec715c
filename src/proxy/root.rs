//! One configuration of the filter on one worker.

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::{
    traits::{Context, HttpContext, RootContext},
    types::ContextType,
};

use super::{http::Http, metrics::Metrics};
use crate::{
    config::{Config, Problem},
    gate::Gate,
};

/// Holds the gate that the requests of this worker share.
#[derive(Default)]
pub(super) struct Root {
    gate: Option<Rc<RefCell<Gate>>>,
    metrics: Option<Metrics>,
}

impl Context for Root {}

impl RootContext for Root {
    /// Refuses a configuration with problems: at start Envoy does not come up, on an update it keeps the old one.
    fn on_configure(&mut self, _size: usize) -> bool {
        let written = self.get_plugin_configuration().unwrap_or_default();
        match Config::parse(&written) {
            Ok((config, warnings)) => {
                warnings.iter().for_each(|warning| log::warn!("{}", line(warning)));
                self.metrics = Some(Metrics::define());
                self.gate = Some(Rc::new(RefCell::new(Gate::new(config))));
                true
            }
            Err(problems) => {
                for problem in problems.iter() {
                    if problem.is_warning() {
                        log::warn!("{}", line(problem));
                    } else {
                        log::error!("{}", line(problem));
                    }
                }
                false
            }
        }
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        let gate = self.gate.as_ref()?;
        Some(Box::new(Http::new(Rc::clone(gate), self.metrics?)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn line(problem: &Problem) -> String {
    match problem.helping() {
        Some(help) => format!("configuration: {problem}; help: {help}"),
        None => format!("configuration: {problem}"),
    }
}
