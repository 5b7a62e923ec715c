//! What the tests share: keys printed in RFCs, tokens made to a recipe, and the corpus of cases.
//!
//! The modules without a `cfg` also run in node: no files, no clock, no randomness from the system.

#![allow(
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests use this: they have a clock and an environment, and a broken test should stop loudly"
)]

#[cfg(not(target_arch = "wasm32"))]
pub mod bootstrap;
pub mod case;
#[cfg(not(target_arch = "wasm32"))]
pub mod console;
pub mod core;
#[cfg(not(target_arch = "wasm32"))]
pub mod crates;
#[cfg(not(target_arch = "wasm32"))]
pub mod envoy;
#[cfg(not(target_arch = "wasm32"))]
pub mod http;
#[cfg(not(target_arch = "wasm32"))]
pub mod istiod;
#[cfg(not(target_arch = "wasm32"))]
pub mod key_server;
pub mod keys;
#[cfg(not(target_arch = "wasm32"))]
pub mod load;
pub mod observed;
#[cfg(not(target_arch = "wasm32"))]
pub mod openid_provider;
pub mod outcome;
#[cfg(not(target_arch = "wasm32"))]
pub mod patience;
#[cfg(not(target_arch = "wasm32"))]
pub mod policies;
#[cfg(not(target_arch = "wasm32"))]
pub mod tls;
pub mod token;
#[cfg(not(target_arch = "wasm32"))]
pub mod trouble;
#[cfg(not(target_arch = "wasm32"))]
pub mod upstream;
#[cfg(not(target_arch = "wasm32"))]
pub mod vectors;
