//! Values of policies: text, numbers and booleans.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use crate::config::schema::Described;
use crate::config::{at::At, shape::Shape};

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug, PartialEq)]
pub(in crate::config) enum Scalar {
    Text(String),
    Flag(bool),
    Number(f64),
}

impl Scalar {
    /// Its text. A number that a double can't hold is not the number that was written.
    #[inline(never)]
    pub(super) fn into_text(self, at: &mut At<'_>) -> Option<String> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(number) if number.abs() >= EXACT => {
                at.error(format!("`{number}` is too large to be exact")).help("write it in quotes");
                None
            }
            Self::Number(number) => Some(number.to_string()),
        }
    }
}

impl Shape for Scalar {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Bool(flag) => Some(Self::Flag(flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            other => {
                at.mismatch(&other, "text, a number or a boolean");
                None
            }
        }
    }

    fn stand_in() -> Option<Self> {
        Some(Self::Text(String::new()))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::kinds(&["string", "number", "boolean"])
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
