//! What rules cost: to compile, and to decide by, natively and in Envoy beside Envoy's own linear RBAC.
//!
//! `cargo bench --bench policies`. It fails if a decision among 10 000 rules costs more than twice as much as among 10, or
//! if they take a second to compile. With `ENVOY_BIN` and `CLAIMGATE_WASM` set it asks Envoy too, and only prints.

#![allow(
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark has a clock and may break loudly"
)]

mod in_envoy;
mod native;
mod rules;

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How many rules; everything is compared with the first.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

fn main() -> ExitCode {
    if !env::args().any(|argument| argument == "--bench") {
        eprintln!("skipped: only `cargo bench` measures");
        return ExitCode::SUCCESS;
    }
    let verdict = native::measure();
    if ["ENVOY_BIN", "CLAIMGATE_WASM"].iter().all(|name| env::var_os(name).is_some()) {
        in_envoy::measure();
    } else {
        println!("\nin Envoy: skipped, for ENVOY_BIN and CLAIMGATE_WASM are not set");
    }
    match verdict {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("\npolicies: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds since the epoch, by the clock that Envoy has too.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// In the unit of the samples.
fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
