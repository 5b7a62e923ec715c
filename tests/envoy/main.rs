//! The module in a stock Envoy, with a recording upstream behind it.
//!
//! `ENVOY_BIN` names Envoy and `CLAIMGATE_WASM` the module; without them the tests are skipped with a message.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "these tests have a clock")]

mod body;
mod configuration;
mod corpus;
mod cors;
mod debug;
mod exceptions;
mod filter_state;
mod grpc;
mod host_crypto;
mod jose;
mod decision_log;
mod jwt_authn;
mod keys;
mod metrics;
mod rbac;
mod observed;
mod outgoing;
mod shadow;
mod source_address;
mod routes;
mod trailers;
mod troubleshooting;
mod upgrade;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let can_run = ["ENVOY_BIN", "CLAIMGATE_WASM"].iter().all(|name| std::env::var_os(name).is_some());
    let trials: Vec<Trial> = if can_run {
        [
            corpus::trials(),
            cors::trials(),
            body::trials(),
            configuration::trials(),
            debug::trials(),
            filter_state::trials(),
            grpc::trials(),
            host_crypto::trials(),
            jose::trials(),
            decision_log::trials(),
            jwt_authn::trials(),
            keys::trials(),
            metrics::trials(),
            rbac::trials(),
            observed::trials(),
            outgoing::trials(),
            shadow::trials(),
            source_address::trials(),
            routes::trials(),
            trailers::trials(),
            troubleshooting::trials(),
            upgrade::trials(),
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
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
