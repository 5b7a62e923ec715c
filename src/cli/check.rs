//! `claimgate check`: every problem in the configurations of a file, with its path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claimgate::config::{Config, Problem, Problems};

use super::{Outcome, configuration::Configuration, configurations::Configurations};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// JSON or YAML: the filter's configuration, or the Istio WasmPlugins or the Envoy configuration that hold it.
    file: PathBuf,
}

/// Checks every configuration in the file. The outcome is that of the worst.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let configurations = match read(&arguments.file) {
        Ok(configurations) => configurations,
        Err(outcome) => return outcome,
    };
    let file = arguments.file.display();
    let check = |(name, configuration): (String, &Configuration)| match parse(&name, configuration) {
        Ok(config) => {
            println!("{file}: {name}good, with {} rule(s)", config.providers.len());
            Outcome::Good
        }
        Err(outcome) => outcome,
    };
    named(&configurations).map(check).max().unwrap_or(Outcome::Good)
}

/// The only configuration in a file; what is to be said about it goes to standard error.
pub(super) fn read_one(file: &Path) -> Result<Config, Outcome> {
    let configurations = read(file)?;
    if let [configuration] = configurations.as_slice() {
        return parse("", configuration);
    }
    let names: Vec<&str> = configurations.iter().map(|configuration| configuration.name.as_str()).collect();
    eprintln!("{}: it has {} configurations: `{}`", file.display(), names.len(), names.join("`, `"));
    eprintln!("  help: put the one to explain into a file of its own");
    Err(Outcome::Failed)
}

fn read(file: &Path) -> Result<Vec<Configuration>, Outcome> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        eprintln!("{name}: {error}");
        Outcome::Failed
    })?;
    let configurations = Configurations::in_text(&text).map_err(|error| {
        eprintln!("{name}: it is neither JSON nor YAML: {}", sentence(&error));
        Outcome::Refused
    })?;
    configurations.left_out.iter().for_each(|problem| print_one("", problem));
    Ok(configurations.list)
}

/// Each with its name in front, if there is more than one.
fn named(configurations: &[Configuration]) -> impl Iterator<Item = (String, &Configuration)> {
    configurations.iter().map(|configuration| match configurations {
        [_] => (String::new(), configuration),
        _ => (format!("{}: ", configuration.name), configuration),
    })
}

fn parse(name: &str, configuration: &Configuration) -> Result<Config, Outcome> {
    configuration.surroundings.iter().for_each(|problem| print_one(name, problem));
    let is_rejected = configuration.surroundings.iter().any(|problem| !problem.is_warning());
    match Config::parse(configuration.json.as_bytes()) {
        Ok((config, warnings)) => {
            print(name, &warnings);
            if is_rejected { Err(Outcome::Refused) } else { Ok(config) }
        }
        Err(problems) => {
            print(name, &problems);
            Err(Outcome::Refused)
        }
    }
}

fn print(name: &str, problems: &Problems) {
    problems.iter().for_each(|problem| print_one(name, problem));
    if problems.left_out() > 0 {
        eprintln!("{name}and {} more", problems.left_out());
    }
}

fn print_one(name: &str, problem: &Problem) {
    eprintln!("{}{name}{problem}", if problem.is_warning() { "warning: " } else { "" });
    if let Some(help) = problem.helping() {
        eprintln!("  help: {help}");
    }
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
