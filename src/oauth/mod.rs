//! What is asked of an issuer, one specification a file, and what its answers mean.

pub mod discovery;
pub mod fetch_error;
pub mod jwks_cache;
pub mod jwks_source;
pub mod output;
mod pending_fetch;
pub mod remote_jwks;
pub mod report;
