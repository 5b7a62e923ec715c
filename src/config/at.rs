//! A place in the configuration, such as `jwtRules[0].issuer`, and the problems found there.
//!
//! Every field of every shape passes through here and no request waits for it, so nothing here is inlined: copies of these
//! functions would make up a fiftieth of the module.

use super::{
    Problem, Problems,
    problem::{Reported, shown},
};

/// A place where problems are reported.
pub(super) struct At<'p> {
    path: String,
    problems: &'p mut Problems,
    /// Whether what is written here may be a secret, and is never shown.
    is_hidden: bool,
}

impl<'p> At<'p> {
    /// The configuration itself.
    pub(super) fn top(problems: &'p mut Problems) -> Self {
        Self { path: String::new(), problems, is_hidden: false }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    #[inline(never)]
    pub(super) fn field(&mut self, name: &str) -> At<'_> {
        let dot = if self.path.is_empty() { "" } else { "." };
        let is_hidden = self.is_hidden || self.path.is_empty() && name == "debug";
        At { path: [&self.path, dot, name].concat(), problems: self.problems, is_hidden }
    }

    #[inline(never)]
    pub(super) fn index(&mut self, index: usize) -> At<'_> {
        At { path: format!("{}[{index}]", self.path), problems: self.problems, is_hidden: self.is_hidden }
    }

    /// Reports what forbids the configuration; the help can follow, as in `at.error("it is empty").help("write `*`")`.
    #[cold]
    #[inline(never)]
    pub(super) fn error(&mut self, message: impl Into<String>) -> Reported<'_> {
        self.problems.push(Problem::new(&*self.path, message.into()))
    }

    /// Reports what is wrong with the text that stands here, as in `at.wrong("a b", "is not a host")`.
    #[cold]
    #[inline(never)]
    pub(super) fn wrong(&mut self, written: &str, sentence: &str) -> Reported<'_> {
        self.error([&self.shown(written), " ", sentence].concat())
    }

    /// What is written here, unless it may be a secret.
    #[cold]
    pub(super) fn shown(&self, written: &str) -> String {
        if self.is_hidden { "it".to_owned() } else { shown(written) }
    }

    /// Reports what is worth knowing.
    #[cold]
    #[inline(never)]
    pub(super) fn warn(&mut self, message: impl Into<String>) -> Reported<'_> {
        self.problems.push(Problem::new(&*self.path, message.into()).warning())
    }

    /// Whether an error was reported here or inside of it.
    #[cold]
    pub(super) fn has_errors_inside(&self) -> bool {
        self.problems.has_errors_inside(&self.path)
    }

    /// Whether something forbids the configuration.
    pub(super) fn has_errors(&self) -> bool {
        self.problems.has_errors()
    }

    /// Reads every element of a list; the bad ones are reported and left out.
    #[inline(never)]
    pub(super) fn each<W, T>(&mut self, list: Vec<W>, mut read: impl FnMut(&mut At<'_>, W) -> Option<T>) -> Vec<T> {
        let mut checked = Vec::new();
        for (index, written) in list.into_iter().enumerate() {
            if let Some(one) = read(&mut self.index(index), written) {
                checked.push(one);
            }
        }
        checked
    }
}
