//! `claimgate check`: every problem in a configuration, with its path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claimgate::config::{Config, Problem, Problems};
use serde::Deserialize;
use serde_json::Value;

use super::Outcome;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// JSON or YAML: the filter's configuration, or the Istio WasmPlugin or the Envoy configuration that holds it.
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
    let found = Found::in_text(&text).map_err(|error| {
        eprintln!("{name}: it is neither JSON nor YAML: {}", sentence(&error));
        Outcome::Refused
    })?;
    found.warning.iter().for_each(print_one);
    match Config::parse(found.json.as_bytes()) {
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

/// The filter's configuration, and what is to be said about its surroundings.
struct Found {
    json: String,
    warning: Option<Problem>,
}

impl Found {
    /// JSON of its own stays as it is, so that a name written twice is found.
    fn in_text(text: &str) -> Result<Self, serde_norway::Error> {
        let documents = documents(text);
        if let Some(found) = documents
            .iter()
            .flatten()
            .find_map(|document| Self::in_istio(document).or_else(|| Self::in_envoy(document)))
        {
            return Ok(found);
        }
        let json = match documents.into_iter().next() {
            _ if text.trim_start().starts_with('{') => text.to_owned(),
            Some(document) => document?.to_string(),
            None => Value::Null.to_string(),
        };
        Ok(Self { json, warning: None })
    }

    /// In a WasmPlugin.
    fn in_istio(document: &Value) -> Option<Self> {
        let is_plugin = document.get("kind").and_then(Value::as_str) == Some("WasmPlugin");
        let plugin = document.get("spec").filter(|_| is_plugin)?;
        let is_open = plugin.get("failStrategy").and_then(Value::as_str) == Some("FAIL_OPEN");
        let help = "write `FAIL_RELOAD`, or `FAIL_CLOSE` before Istio 1.27";
        Some(Self {
            json: plugin.get("pluginConfig").map(Value::to_string).unwrap_or_default(),
            warning: is_open.then(|| fail_open("spec.failStrategy", help)),
        })
    }

    /// In the first `StringValue` with rules or policies, at any depth.
    fn in_envoy(value: &Value) -> Option<Self> {
        let configuration = value.pointer("/configuration/value").and_then(Value::as_str);
        let configuration =
            configuration.filter(|text| text.contains("jwtRules") || text.contains("authorizationPolicies"));
        if let Some(configuration) = configuration {
            let policy = value.get("failure_policy").or_else(|| value.get("failurePolicy"));
            let is_open = policy.and_then(Value::as_str) == Some("FAIL_OPEN")
                || value.get("fail_open").or_else(|| value.get("failOpen")).and_then(Value::as_bool) == Some(true);
            let warning = is_open.then(|| fail_open("failure_policy", "write `FAIL_RELOAD`"));
            return Some(Self { json: configuration.to_owned(), warning });
        }
        match value {
            Value::Array(list) => list.iter().find_map(Self::in_envoy),
            Value::Object(members) => members.values().find_map(Self::in_envoy),
            _ => None,
        }
    }
}

/// The documents of a text, by way of YAML's own values: they refuse a name written twice. After an error the reader would
/// repeat it without end.
fn documents(text: &str) -> Vec<Result<Value, serde_norway::Error>> {
    let mut documents = Vec::new();
    for document in serde_norway::Deserializer::from_str(text) {
        let read = serde_norway::Value::deserialize(document).and_then(serde_norway::from_value);
        let is_last = read.is_err();
        documents.push(read);
        if is_last {
            break;
        }
    }
    documents
}

/// What is wrong with a text, without the value that is wrong: it may be a secret.
fn sentence(error: &serde_norway::Error) -> String {
    let sentence = error.to_string();
    if !["invalid type: ", "invalid value: "].iter().any(|kind| sentence.contains(kind)) {
        return sentence;
    }
    let place = error.location().map(|place| format!(" at line {} column {}", place.line(), place.column()));
    format!("a value is not of its type{}", place.unwrap_or_default())
}

fn fail_open(path: &str, help: &str) -> Problem {
    Problem::new(path, "`FAIL_OPEN` lets every request pass while the module is down").help(help).warning()
}

fn print(problems: &Problems) {
    problems.iter().for_each(print_one);
    if problems.left_out() > 0 {
        eprintln!("and {} more", problems.left_out());
    }
}

fn print_one(problem: &Problem) {
    eprintln!("{}{problem}", if problem.is_warning() { "warning: " } else { "" });
    if let Some(help) = problem.helping() {
        eprintln!("  help: {help}");
    }
}
