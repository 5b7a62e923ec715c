//! The configuration: JSON as Envoy hands it over, turned into checked types in one pass, every problem named at once.

mod at;
mod conflicts;
mod cors;
mod debug;
mod decision_log;
mod document;
mod duration;
mod errors;
mod expectations;
mod expression;
mod header_name;
mod host;
mod jwks;
mod jwt_rule;
mod limits;
mod location;
mod mesh;
mod method;
mod output;
mod path_pattern;
mod pattern;
mod policy;
mod problem;
mod request_match;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
mod shape;

pub use problem::{Problem, Problems};

use serde_json::Value;

use self::{at::At, shape::Shape};
use crate::{
    authenticate::provider::Provider,
    crypto::HostCrypto,
    decision_log::{filter_state::FilterState, line::Subjects, trace::Debug},
    jose::json,
    oauth::jwks_source::JwksSource,
    policy::Policies,
    reply::Errors,
};

/// A configuration in which nothing is left to check.
#[derive(Debug)]
pub struct Config {
    /// The rules, in order.
    pub providers: Vec<Provider>,
    /// Where keys are fetched from.
    pub sources: Vec<JwksSource>,
    /// How many requests a worker lets wait for the keys of one source.
    pub max_waiting_requests: usize,
    /// The policies.
    pub policies: Policies,
    /// The reply to a denied request.
    pub errors: Errors,
    /// How the log writes subjects.
    pub log_subjects: Subjects,
    /// What the access log and later filters can read.
    pub filter_state: FilterState,
    /// The header that returns the trace of a decision.
    pub debug: Option<Debug>,
    /// Whether CORS preflights pass without a token.
    pub bypass_cors_preflight: bool,
    /// The longest token looked at, in bytes.
    pub max_token_bytes: usize,
    /// Whether the host verifies signatures.
    pub host_crypto: HostCrypto,
}

impl Config {
    /// Reads a configuration, with the warnings about it.
    ///
    /// # Errors
    /// Every problem found, each with its path.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Problems), Problems> {
        let object = json::object(bytes).map_err(|error| unreadable(bytes, &error))?;
        let mut problems = Problems::default();
        let mut at = At::top(&mut problems);
        let document = document::Document::read(Value::Object(object), &mut at).unwrap_or_default();
        let config = document::config(&mut at, document);
        if problems.has_errors() { Err(problems) } else { Ok((config, problems)) }
    }
}

fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Problems {
    let problem = |message: String| Problem::new("configuration", message);
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    Problems::from(match (bytes.trim_ascii(), is_json) {
        (b"", _) => problem("it is empty".to_owned()).help("write `jwtRules` with at least one rule"),
        (_, true) => problem(format!("it can't be read: {error}")),
        (_, false) => problem("it is not a JSON object".to_owned())
            .help("write JSON; in Envoy put it into a `StringValue`, for only that arrives as text"),
    })
}
