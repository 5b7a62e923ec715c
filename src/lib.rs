//! A request brings a token; a provider's key proves it; its claims meet the policy; the decision becomes effects.
//!
//! ```text
//! request ─► token ─► keys ─► signature ─► claims ─► authenticate ─► policy ─► decision ─► effect, reply
//!                                provider ┘
//! config builds provider; gate ties all together; proxy and cli know only gate, config and request
//! ```
//!
//! Everything but [`proxy`](crate) is free of I/O and clock: bytes and the time go in, a [`gate::Step`] comes out.

pub mod request;
pub mod time;
pub mod token;
pub mod keys;
pub mod signature;
pub mod claims;
pub mod operation;
pub mod connection;
pub mod provider;
pub mod seen;
pub mod authenticate;
pub mod policy;
pub mod decision;
pub mod waiting;
pub mod account;
pub mod metric;
pub mod effect;
pub mod reply;
pub mod gate;
pub mod config;
#[cfg(target_os = "wasi")]
mod proxy;
