//! Values of policies: text, numbers and booleans.

use serde_json::{Number, Value};

#[cfg(not(target_arch = "wasm32"))]
use crate::config::schema::Described;
use crate::{
    config::{
        at::At,
        shape::{EXACT, Shape, TOO_LARGE},
    },
    policy::attribute::number_text,
};

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug, PartialEq)]
pub(in crate::config) enum Scalar {
    Text(String),
    Flag(bool),
    Number(Number),
}

impl Scalar {
    /// Its text. A number that a double can't hold is not the number that was written.
    #[inline(never)]
    pub(super) fn into_text(self, at: &mut At<'_>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(number) if number.as_f64().is_none_or(|double| double.abs() >= EXACT) => {
                // A double is no longer the number that was written.
                let problem = if number.is_f64() {
                    at.error(["it ", TOO_LARGE].concat())
                } else {
                    at.wrong(&number.to_string(), TOO_LARGE)
                };
                problem.help("write it in quotes");
                None
            }
            Self::Number(number) => Some(number_text(&number)),
        }
    }
}

impl Shape for Scalar {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Bool(flag) => Some(Self::Flag(flag)),
            Value::Number(number) => Some(Self::Number(number)),
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

/// A list of scalars, or only of text.
#[derive(Debug, Default)]
pub(in crate::config) struct Values<const IS_TEXT: bool>(pub(super) Vec<Scalar>);

impl<const IS_TEXT: bool> Shape for Values<IS_TEXT> {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let scalars = if IS_TEXT {
            Vec::<String>::read(value, at)?.into_iter().map(Scalar::Text).collect()
        } else {
            Vec::read(value, at)?
        };
        Some(Self(scalars))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        if IS_TEXT { Vec::<String>::described() } else { Vec::<Scalar>::described() }
    }
}
