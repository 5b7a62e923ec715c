//! What is wrong with a configuration: the path, what stands there, what to do.

use std::fmt;

/// How many problems are reported. If there are more, one of them is repeated often.
const MOST: usize = 100;

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

    /// Something to know, but no reason to reject the configuration.
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
        is_inside(path, &self.path)
    }
}

/// Whether a place is another or inside of it.
fn is_inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl fmt::Display for Problem {
    /// Path and sentence, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// A problem that was just reported, to add what to do about it; nothing, if it is left out.
pub(super) struct Reported<'p>(Option<&'p mut Problem>);

impl Reported<'_> {
    /// Adds what to do about it.
    #[cold]
    pub(super) fn help(self, help: impl Into<String>) {
        if let Some(problem) = self.0 {
            problem.help = Some(help.into());
        }
    }

    /// Adds the known name most like the written one, or all of them.
    #[cold]
    pub(super) fn suggest(self, written: &str, known: &[&str]) {
        self.help(suggestion(written, known));
    }

    /// Adds the known names.
    #[cold]
    pub(super) fn one_of(self, known: &[&str]) {
        self.help(all_of(known));
    }
}

#[cold]
fn suggestion(written: &str, known: &[&str]) -> String {
    let distance = |name: &str| strsim::damerau_levenshtein(&written.to_ascii_lowercase(), &name.to_ascii_lowercase());
    match known.iter().map(|name| (distance(name), name)).min() {
        Some((distance, name)) if distance <= 1.max(name.chars().count() / 3) => format!("did you mean `{name}`?"),
        _ => all_of(known),
    }
}

#[cold]
fn all_of(known: &[&str]) -> String {
    format!("use one of `{}`", known.join("`, `"))
}

/// Problems in the order they were found: the first hundred, errors before warnings if there are more.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Problems {
    reported: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// Adds a problem, unless a reported one explains it: the same place or one around it.
    pub(super) fn push(&mut self, problem: Problem) -> Reported<'_> {
        if self.reported.iter().any(|known| !known.is_warning && known.covers(&problem.path)) {
            return Reported(None);
        }
        if self.reported.len() >= MOST {
            self.left_out = self.left_out.saturating_add(1);
            // An error goes before a warning: it is why the configuration is rejected.
            let last_warning = self.reported.iter().rposition(Problem::is_warning).filter(|_| !problem.is_warning);
            let Some(last_warning) = last_warning else { return Reported(None) };
            self.reported.remove(last_warning);
        }
        self.reported.push(problem);
        Reported(self.reported.last_mut())
    }

    /// Whether any of them forbids what stands at a place.
    pub(super) fn has_errors_inside(&self, path: &str) -> bool {
        self.reported.iter().any(|problem| !problem.is_warning && is_inside(&problem.path, path))
    }

    /// Whether any of them forbids the configuration.
    pub fn has_errors(&self) -> bool {
        self.reported.iter().any(|problem| !problem.is_warning)
    }

    /// The problems that are reported.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.reported.iter()
    }

    /// How many more there are.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { reported: vec![problem], left_out: 0 }
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
