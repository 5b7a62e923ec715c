//! A request brings a token; a provider's key proves it; its claims meet the policy; the decision becomes effects.
//!
//! The modules stand in one order, from the lowest to the highest: a module uses only what stands above it in this list.
//! `tests/layers.rs` holds that. Everything but the last is free of I/O and clock: bytes and the time go in, a
//! [`gate::Decision`] comes out.

pub mod time;
pub mod secret;
pub mod encoding;
pub mod request;
pub mod location;
pub mod reason;
pub mod denial;
pub mod connection;
pub mod matching;
pub mod jose;
pub mod crypto;
pub mod keys;
pub mod outbound;
pub mod stop;
pub mod oauth;
pub mod proof;
pub mod claims;
pub mod authenticate;
pub mod policy;
pub mod upstream;
pub mod reply;
pub mod decision_log;
pub mod metric;
pub mod config;
pub mod gate;
#[cfg(target_os = "wasi")]
mod proxy;
