//! `claimgate schema`: the JSON Schema of the configuration, for editors and validators.

use claimgate::config::schema;

use super::Outcome;

pub(super) fn run() -> Outcome {
    println!("{:#}", schema::schema());
    Outcome::Good
}
