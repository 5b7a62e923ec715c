//! A provider's keys (RFC 7517).

mod jwk;
mod set;

pub use jwk::{Key, Skip, is_private};
pub use set::{KeySet, Skipped, UnusableKeySet};
