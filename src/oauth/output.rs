//! What comes of a look at a source or of an answer.

use std::rc::Rc;

use super::report::Report;
use crate::{keys::Key, outbound::call::Call};

/// What to do now, and what to tell.
#[derive(Debug, Default)]
pub struct Output {
    /// The call to make now.
    pub call: Option<Call>,
    /// Whether a fetch has ended, so that the requests that wait for it are to be decided again.
    pub is_ended: bool,
    /// The keys that are no longer in the set: what they proved is to be forgotten.
    pub gone: Vec<Rc<Key>>,
    /// How this worker's own fetch went.
    pub report: Option<Report>,
}
