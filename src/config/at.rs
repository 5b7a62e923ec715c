//! A place in the configuration, such as `jwtRules[0].issuer`, and the problems found there.
//!
//! Every field of every shape passes through here and no request waits for it, so nothing here is inlined: copies of these
//! functions would make up a fiftieth of the module.

use super::{Problem, Problems};

/// A place where problems are reported.
pub(super) struct At<'p> {
    path: String,
    problems: &'p mut Problems,
}

impl<'p> At<'p> {
    /// The configuration itself.
    pub(super) fn top(problems: &'p mut Problems) -> Self {
        Self { path: String::new(), problems }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    #[inline(never)]
    pub(super) fn field(&mut self, name: &str) -> At<'_> {
        let dot = if self.path.is_empty() { "" } else { "." };
        At { path: [&self.path, dot, name].concat(), problems: self.problems }
    }

    #[inline(never)]
    pub(super) fn index(&mut self, index: usize) -> At<'_> {
        At { path: format!("{}[{index}]", self.path), problems: self.problems }
    }

    #[cold]
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), message)
    }

    #[cold]
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}
