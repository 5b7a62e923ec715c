//! What is wrong with a configuration, in words for the one who wrote it: the path, what stands there, what to do.

use std::fmt;

/// One problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    path: String,
    message: String,
    help: Option<String>,
    is_warning: bool,
}

impl Problem {
    /// A problem at a path such as `jwtRules[0].issuer`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), help: None, is_warning: false }
    }

    /// Adds what to do about it.
    #[cold]
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the known name most like the written one, or all of them.
    #[must_use]
    pub fn suggest(self, written: &str, known: &[&str]) -> Self {
        let distance =
            |name: &str| strsim::damerau_levenshtein(&written.to_ascii_lowercase(), &name.to_ascii_lowercase());
        match known.iter().map(|name| (distance(name), name)).min() {
            Some((distance, name)) if distance <= 1.max(name.chars().count() / 3) => {
                self.help(format!("did you mean `{name}`?"))
            }
            _ => self.one_of(known),
        }
    }

    /// Adds the known names.
    #[must_use]
    pub fn one_of(self, known: &[&str]) -> Self {
        self.help(format!("use one of `{}`", known.join("`, `")))
    }

    /// Something to know, but no reason to refuse the configuration.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.is_warning = true;
        self
    }

    /// Whether the configuration works all the same.
    pub fn is_warning(&self) -> bool {
        self.is_warning
    }

    /// What to do about it.
    pub fn helping(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The problem and its help in one line, as the proxy logs it.
    pub fn line(&self) -> String {
        match &self.help {
            Some(help) => format!("configuration: {self}; help: {help}"),
            None => format!("configuration: {self}"),
        }
    }

    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl fmt::Display for Problem {
    /// Path and sentence, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Problems in the order they were found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem, unless a reported one explains it: the same place or one around it.
    pub fn push(&mut self, problem: Problem) {
        if !self.0.iter().any(|reported| !reported.is_warning && reported.covers(&problem.path)) {
            self.0.push(problem);
        }
    }

    /// Whether any of them forbids the configuration.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| !problem.is_warning)
    }

    /// The problems.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// What the user wrote, short enough for a sentence, on one line.
#[cold]
pub(super) fn shown(written: &str) -> String {
    const LONGEST: usize = 60;
    let line: String = written.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", line.get(..end).unwrap_or_default()),
        None => format!("`{line}`"),
    }
}
