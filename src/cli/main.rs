//! `claimgate` at a desk: the same configuration code that runs in the proxy, before a rollout.

mod check;
mod configuration;
mod configurations;
mod explain;
mod guide;
mod reasons;
mod schema;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Verifies tokens and decides by claims, inside Envoy and Istio. On your machine it checks a configuration before you deploy it.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says every problem in a configuration, in the words the proxy would log.
    Check(check::Arguments),
    /// Says what a configuration does with a request, and what each rule lacked.
    Explain(Box<explain::Arguments>),
    /// Prints every reason for a denial: what it means, and how to fix it.
    Reasons,
    /// Prints the JSON Schema of the configuration, for editors and validators.
    Schema,
}

/// What the exit status says, the worst last.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Outcome {
    /// The configuration is good.
    Good,
    /// The question could not be answered.
    Failed,
    /// The request would be refused.
    Denied,
    /// The configuration would be refused.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Good => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
            Outcome::Denied => Self::from(2),
            Outcome::Refused => Self::from(3),
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments).into(),
        Command::Explain(arguments) => explain::run(&arguments).into(),
        Command::Reasons => reasons::run().into(),
        Command::Schema => schema::run().into(),
    }
}
