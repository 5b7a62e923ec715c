//! A paper whose `console` blocks are sessions: what stands behind `$ ` is run, and what stands below is what it prints.
//!
//! Its first block of `yaml` is the configuration. Below a heading of the second rank, `yaml rule` changes fields of the first
//! rule and `yaml fields` fields of the whole, for the commands after it and up to the next such heading.

use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// What stands below one heading.
pub struct Session {
    pub heading: String,
    pub steps: Vec<Step>,
}

/// One command of a paper.
pub struct Step {
    /// The line of the paper.
    pub line: usize,
    pub command: String,
    pub prints: Vec<String>,
    /// The configuration it is run with.
    pub configuration: Value,
}

/// Where commands are run.
pub struct Shell<'a> {
    pub folder: &'a Path,
    /// The folder of `claimgate`.
    pub claimgate: &'a Path,
    /// Said before every command.
    pub prelude: String,
    pub variables: Vec<(&'static str, String)>,
}

/// The sessions of a paper. Every block of it is a configuration, a part of one, or a session: none goes unchecked.
pub(crate) fn sessions(paper: &str) -> Vec<Session> {
    let mut base = Value::Null;
    let mut configuration = Value::Null;
    let mut sessions: Vec<Session> = Vec::new();
    let mut lines = paper.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            configuration = base.clone();
            sessions.push(Session { heading: heading.to_owned(), steps: Vec::new() });
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
        let text: String = body.iter().map(|(_, line)| format!("{line}\n")).collect();
        let fields = || serde_norway::from_str(&text).expect("YAML");
        match info {
            "yaml" => base = fields(),
            "yaml rule" => merge(&mut configuration["jwtRules"][0], fields()),
            "yaml fields" => merge(&mut configuration, fields()),
            "console" => {
                let session = sessions.last_mut().expect("a session below a heading");
                for (number, line) in body {
                    if let Some(command) = line.strip_prefix("$ ") {
                        session.steps.push(Step {
                            line: number + 1,
                            command: command.to_owned(),
                            prints: Vec::new(),
                            configuration: configuration.clone(),
                        });
                    } else {
                        session.steps.last_mut().expect("a command first").prints.push(line.to_owned());
                    }
                }
            }
            _ => panic!("a block of `{info}` is not held to anything"),
        }
    }
    sessions.retain(|session| !session.steps.is_empty());
    sessions
}

fn merge(into: &mut Value, fields: Value) {
    into.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
}

// === impl Step ===

impl Step {
    /// Whether a proxy has to run for it.
    pub fn needs_proxy(&self) -> bool {
        self.command.contains("curl") || self.reads_what_comes_late()
    }

    /// Whether it looks at what the proxy writes in its own time.
    pub fn reads_what_comes_late(&self) -> bool {
        self.command.contains("envoy.log") || self.command.contains("/stats")
    }

    /// What is wrong with the paper, if this is what was printed.
    pub fn complaint(&self, printed: &[String]) -> Option<String> {
        let is_like = self.prints.len() == printed.len()
            && self.prints.iter().zip(printed).all(|(written, printed)| is_like(written, printed));
        let (line, command) = (self.line, &self.command);
        (!is_like).then(|| format!("line {line}: `{command}` does not print that, but\n{}\n", printed.join("\n")))
    }
}

// === impl Shell ===

impl Shell<'_> {
    /// What a command prints to either stream, line by line.
    pub fn run(&self, step: &Step) -> Vec<String> {
        fs::write(self.folder.join("claimgate.yaml"), step.configuration.to_string()).expect("a writable folder");
        let script =
            format!("exec 2>&1; PATH=\"{}:$PATH\"; {}\n{}", self.claimgate.display(), self.prelude, step.command);
        let mut shell = Command::new("bash");
        shell.current_dir(self.folder).args(["-c", &script]);
        shell.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        let output = shell.output().expect("a shell");
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// Whether a printed line is the written one, but for the time and what follows from it.
pub fn is_like(written: &str, printed: &str) -> bool {
    if let (Some(_), Some(date)) = (written.strip_prefix("date: "), printed.strip_prefix("date: ")) {
        return date.ends_with(" GMT");
    }
    let written: Vec<&str> = written.split(' ').collect();
    let printed: Vec<&str> = printed.split(' ').collect();
    let is_like = |index: usize| {
        let (written, printed_word) = (written[index], printed[index]);
        let before = if index == 0 { "" } else { printed[index - 1] };
        let is_milliseconds = printed.get(index + 1) == Some(&"ms");
        written == printed_word || is_another_time(before, written, printed_word, is_milliseconds)
    };
    written.len() == printed.len() && (0..written.len()).all(is_like)
}

fn is_another_time(before: &str, written: &str, printed: &str, is_milliseconds: bool) -> bool {
    let numbers = |name: &str, unit: &str| {
        let number =
            |word: &str| word.trim_end_matches(';').strip_prefix(name)?.strip_suffix(unit)?.parse::<u64>().ok();
        Some((number(written)?, number(printed)?))
    };
    let is_near = |numbers: Option<(u64, u64)>| numbers.is_some_and(|(one, other)| one.abs_diff(other) <= 60);
    written.ends_with(';') == printed.ends_with(';')
        && (numbers("exp=", "").is_some()
            || is_near(numbers("expired_for=", "s"))
            || is_near(numbers("expires_in=", "s"))
            || before.contains(".keys_age_seconds.") && is_near(numbers("", ""))
            || ["x-envoy-upstream-service-time:", "retry-after:"].contains(&before) && numbers("", "").is_some()
            || is_milliseconds && numbers("", "").is_some())
}
