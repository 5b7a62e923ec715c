//! The filter inside the proxy: it lends requests to the gate and performs what the gate decides. It decides nothing.

mod clock;
mod connection;
mod fetch;

mod decision_logger;
mod local_reply;
mod log_level;
mod metrics;
mod root;
mod shared_data;
mod stream;
mod verify_signature;
mod worker;

use std::panic;

use proxy_wasm::types::LogLevel;

use root::Root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Debug);
    // A panic ends the VM, and Envoy fails closed. The place goes to the log; the message could hold what a client sent.
    panic::set_hook(Box::new(|panic| match panic.location() {
        Some(place) => log::error!("claimgate panicked at {}:{}", place.file(), place.line()),
        None => log::error!("claimgate panicked"),
    }));
    proxy_wasm::set_root_context(|id| Box::new(Root::new(id)));
}}
