//! `claimgate check`: every problem in a configuration, with its path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claimgate::config::{Config, Problem, Problems};
use serde_json::Value;

use super::Outcome;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// JSON or YAML: the filter's configuration, or an Istio WasmPlugin that holds it as `pluginConfig`.
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match read(&arguments.file) {
        Ok(config) => {
            println!("{}: good, with {} rule(s)", arguments.file.display(), config.providers.len());
            Outcome::Good
        }
        Err(outcome) => outcome,
    }
}

/// The configuration in a file; what is to be said about it goes to standard error.
pub(super) fn read(file: &Path) -> Result<Config, Outcome> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        eprintln!("{name}: {error}");
        Outcome::Failed
    })?;
    let json = configuration(&text).map_err(|error| {
        eprintln!("{name}: it is neither JSON nor YAML: {error}");
        Outcome::Refused
    })?;
    match Config::parse(json.as_bytes()) {
        Ok((config, warnings)) => {
            print(&warnings);
            Ok(config)
        }
        Err(problems) => {
            print(&problems);
            Err(Outcome::Refused)
        }
    }
}

/// The filter's configuration as JSON. JSON stays as it is, so that a name written twice is found.
fn configuration(text: &str) -> Result<String, serde_norway::Error> {
    if text.trim_start().starts_with('{') {
        return Ok(text.to_owned());
    }
    // By way of YAML's own values: they refuse a name written twice.
    let document: serde_norway::Value = serde_norway::from_str(text)?;
    let document: Value = serde_norway::from_value(document)?;
    let is_plugin = document.get("kind").and_then(Value::as_str) == Some("WasmPlugin");
    let configuration = if is_plugin { document.pointer("/spec/pluginConfig").cloned() } else { Some(document) };
    Ok(configuration.unwrap_or_default().to_string())
}

fn print(problems: &Problems) {
    for problem in problems.iter() {
        eprintln!("{}{problem}", if Problem::is_warning(problem) { "warning: " } else { "" });
        if let Some(help) = problem.helping() {
            eprintln!("  help: {help}");
        }
    }
}
