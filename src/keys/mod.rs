//! A provider's keys (RFC 7517).

mod jwk;
mod members;
mod set;

pub use jwk::{Key, Skip, is_private};
pub use set::{KeySet, MAX_FETCHED_KEYS, Skipped, UnusableKeySet};
