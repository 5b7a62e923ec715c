//! The policies: from what was written to what it means.

pub(super) mod matching;
pub(super) mod policies;
mod when;

use super::{Problem, at::At, problem::shown};
use crate::matching::pattern::{NotAPattern, Pattern};

impl At<'_> {
    fn required(&mut self, written: Option<String>) -> Option<String> {
        if written.is_none() {
            self.error("it is missing");
        }
        self.text(written?)
    }

    pub(super) fn pattern(&mut self, written: &str) -> Option<Pattern> {
        Pattern::parse(written).map_err(|reason| self.not_a_pattern(written, reason)).ok()
    }

    pub(super) fn not_a_pattern(&mut self, written: &str, reason: NotAPattern) {
        match reason {
            NotAPattern::Empty => self.error("it is empty").help("write `*` for anything"),
            NotAPattern::Star => {
                let problem = self.error(format!("{} is not a pattern", shown(written)));
                problem.help("put one `*` at the start or at the end, or write it without");
            }
        }
    }
}
