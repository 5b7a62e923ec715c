//! `claimgate check`: every problem in a configuration, with its path.

use std::{fs, path::PathBuf};

use claimgate::config::{Config, Problem, Problems};
use serde_json::Value;

use super::Outcome;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// JSON or YAML: the filter's configuration, or an Istio WasmPlugin that holds it as `pluginConfig`.
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let file = arguments.file.display();
    let text = match fs::read_to_string(&arguments.file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            return Outcome::Failed;
        }
    };
    match configuration(&text).map(|json| Config::parse(json.as_bytes())) {
        Err(error) => {
            eprintln!("{file}: it is neither JSON nor YAML: {error}");
            Outcome::Refused
        }
        Ok(Ok((config, warnings))) => {
            print(&warnings);
            println!("{file}: good, with {} rule(s)", config.providers.len());
            Outcome::Good
        }
        Ok(Err(problems)) => {
            print(&problems);
            Outcome::Refused
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
