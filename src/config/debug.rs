//! `debug`: the header that asks for the trace of a decision, and that brings it.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    conflicts,
    header_name::OutputHeader,
    shape::{Required, Shape, object},
};
use crate::{authenticate::provider::Provider, decision_log::trace, request::HeaderName, secret::Secret};

/// Too long to be guessed, if it is random.
const SHORTEST_SECRET: usize = 16;
const MAKE_ONE: &str = "make one: `openssl rand -hex 16`";

object! {
    /// A header that returns the trace of a decision.
    pub struct Debug:

    /// The header of the request with the secret, and of the response with the trace. No rule and no policy may use it.
    pub header: OutputHeader = OutputHeader(HeaderName::new("x-claimgate-debug")),
    /// What the request must send: 16 characters or more without whitespace around them, compared in constant time.
    pub secret: Required<Secret>,
}

impl Debug {
    pub(super) fn checked(self, at: &mut At<'_>, providers: &[Provider]) -> Option<trace::Debug> {
        conflicts::report_debug_header(&mut at.field("header"), &self.header.0, providers);
        Some(trace::Debug { header: self.header.0, secret: self.secret.value? })
    }
}

impl Shape for Secret {
    const HELP: Option<&'static str> = Some(MAKE_ONE);

    /// What is written here is never shown.
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let sentence = match value {
            Value::String(text) if text.chars().count() < SHORTEST_SECRET => {
                format!("it has {} characters, fewer than {SHORTEST_SECRET}", text.chars().count())
            }
            Value::String(text) if text.trim() == text => return Some(Self::new(text)),
            // RFC 9110 section 5.5.
            Value::String(_) => "it has whitespace around it, which no header's value has".to_owned(),
            _ => "it is not text".to_owned(),
        };
        at.error(sentence).help(MAKE_ONE);
        None
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::secret(SHORTEST_SECRET)
    }
}
