//! What is told of a fetch.

use std::{fmt, time::Duration};

use super::fetch_error::FetchError;
use crate::{keys::Skipped, outbound::call::CallError};

/// How many skipped keys of a set are told one by one.
const MAX_SKIPPED: usize = 10;

/// How a fetch of this worker went. Displayed, it is one sentence.
#[derive(Debug)]
pub struct Report {
    /// The name of the source.
    pub name: String,
    /// The URL that was asked, fit for a log.
    pub url: String,
    /// The cluster it was asked through.
    pub cluster: String,
    /// Whether this worker asked for the whole proxy, or for itself alone.
    pub is_for_all: bool,
    /// Whether the one before it failed.
    pub is_recovery: bool,
    /// What it brought.
    pub outcome: Result<Change, FetchError>,
    /// How long until the next.
    pub next_in: Duration,
}

/// What a good fetch brought.
#[derive(Debug)]
pub enum Change {
    /// The set there was.
    Unchanged,
    /// Another set, with so many keys, and those that can't be used.
    Updated(usize, Vec<Skipped>),
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// For whoever looks for something.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is wrong.
    Warn,
    /// Something must be done.
    Error,
}

impl Report {
    /// The lines of the log. What every worker fetches alike is told at [`Level::Info`] by one of them.
    pub fn lines(&self) -> Vec<(Level, String)> {
        let (level, skipped) = match &self.outcome {
            Ok(Change::Updated(_, skipped)) if self.is_for_all || self.is_recovery => (Level::Info, skipped.as_slice()),
            Ok(Change::Unchanged) if self.is_recovery => (Level::Info, &[][..]),
            Ok(_) => (Level::Debug, &[][..]),
            Err(FetchError::Call(CallError::ClusterNotFound)) => (Level::Error, &[][..]),
            Err(_) => (Level::Warn, &[][..]),
        };
        let name = &self.name;
        let each = skipped.iter().take(MAX_SKIPPED).map(|skipped| format!("keys of {name}: {skipped}"));
        let more = skipped.len().saturating_sub(MAX_SKIPPED);
        let count = (more > 0).then(|| format!("keys of {name}: {more} more keys are skipped"));
        let warnings = each.chain(count).map(|line| (Level::Warn, line));
        std::iter::once((level, self.to_string())).chain(warnings).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, url, cluster, outcome, .. } = self;
        let next = self.next_in.as_millis();
        write!(f, "keys of {name}: ")?;
        match outcome {
            Ok(Change::Updated(count, _)) => write!(f, "{count} from {url}; the next fetch is in {next} ms"),
            Ok(Change::Unchanged) => write!(f, "the same from {url}; the next fetch is in {next} ms"),
            Err(error @ FetchError::Call(CallError::ClusterNotFound)) => write!(
                f,
                "{}: {error}: `{cluster}`, for {url}; help: make it, in Istio by a ServiceEntry for the host, or name \
                 another in `jwksCluster`; the next try is in {next} ms",
                error.class()
            ),
            Err(error) => write!(f, "{}: {error}, from {url}; the next try is in {next} ms", error.class()),
        }
    }
}
