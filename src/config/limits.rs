//! What is taken and how much of it.

use super::shape::{Whole, object};

object! {
    /// Bounds, and what is let through without a token.
    pub struct Limits:

    /// Whether CORS preflights pass without a token, as in Istio.
    pub bypass_cors_preflight: bool = true,
    /// The longest token that is verified, in bytes.
    pub max_token_bytes: Whole<256, 1_048_576> = Whole(65_536),
    /// How many requests may wait for keys, on each worker and for each source of keys.
    pub max_waiting_requests: Whole<0, 100_000> = Whole(1_000),
}
