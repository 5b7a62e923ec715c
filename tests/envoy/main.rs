//! The module in a stock Envoy, with a recording upstream behind it.
//!
//! `ENVOY_BIN` names Envoy and `CLAIMGATE_WASM` the module; without them the tests are skipped with a message.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "these tests have a clock, and a broken test should stop loudly"
)]

#[cfg(not(target_arch = "wasm32"))]
#[path = "../support/mod.rs"]
mod support;

#[cfg(not(target_arch = "wasm32"))]
mod configuration;
#[cfg(not(target_arch = "wasm32"))]
mod corpus;
#[cfg(not(target_arch = "wasm32"))]
mod cors;
#[cfg(not(target_arch = "wasm32"))]
mod debug;
#[cfg(not(target_arch = "wasm32"))]
mod filter_state;
#[cfg(not(target_arch = "wasm32"))]
mod grpc;
#[cfg(not(target_arch = "wasm32"))]
mod jose;
#[cfg(not(target_arch = "wasm32"))]
mod journal;
#[cfg(not(target_arch = "wasm32"))]
mod jwt_authn;
#[cfg(not(target_arch = "wasm32"))]
mod keys;
#[cfg(not(target_arch = "wasm32"))]
mod metrics;
#[cfg(not(target_arch = "wasm32"))]
mod rbac;
#[cfg(not(target_arch = "wasm32"))]
mod records;
#[cfg(not(target_arch = "wasm32"))]
mod remarks;
#[cfg(not(target_arch = "wasm32"))]
mod routes;
#[cfg(not(target_arch = "wasm32"))]
mod trailers;
#[cfg(not(target_arch = "wasm32"))]
mod troubleshooting;

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    use libtest_mimic::{Arguments, Trial};

    let arguments = Arguments::from_args();
    let can_run = ["ENVOY_BIN", "CLAIMGATE_WASM"].iter().all(|name| std::env::var_os(name).is_some());
    let trials: Vec<Trial> = if can_run {
        [
            corpus::trials(),
            cors::trials(),
            configuration::trials(),
            debug::trials(),
            filter_state::trials(),
            grpc::trials(),
            jose::trials(),
            journal::trials(),
            jwt_authn::trials(),
            keys::trials(),
            metrics::trials(),
            rbac::trials(),
            records::trials(),
            remarks::trials(),
            routes::trials(),
            trailers::trials(),
            troubleshooting::trials(),
        ]
        .into_iter()
        .flatten()
        .collect()
    } else {
        eprintln!("skipped: ENVOY_BIN and CLAIMGATE_WASM are not set; `./build.sh test` sets them");
        Vec::new()
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// Seconds since the epoch, by the clock that Envoy has too.
#[cfg(not(target_arch = "wasm32"))]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[cfg(target_arch = "wasm32")]
fn main() {}
