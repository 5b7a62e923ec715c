//! What comes of a look at a source or of an answer: what to do now, and what to tell of it.

use std::{rc::Rc, time::Duration};

use super::fetch_error::FetchError;
use crate::{
    keys::{Key, Skipped},
    outbound::call::Call,
};

/// What a look at a source or an answer led to.
#[derive(Debug, Default)]
pub struct Output {
    /// The call to make now.
    pub call: Option<Call>,
    /// Whether a fetch has ended since the last turn, so that whoever waits for it is to be decided again.
    pub is_ended: bool,
    /// The keys that are no longer in the set: what they proved is to be forgotten.
    pub gone: Vec<Rc<Key>>,
    /// What to tell of this worker's own fetch.
    pub report: Option<Report>,
}

/// How a fetch went.
#[derive(Debug)]
pub struct Report {
    /// The URL that was asked.
    pub url: String,
    /// The cluster it was asked through.
    pub cluster: String,
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
