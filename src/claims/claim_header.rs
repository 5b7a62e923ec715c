//! A claim handed upstream as a header (`outputClaimToHeaders`).

use std::slice;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Claims, path::ClaimPath};
use crate::request::HeaderName;

/// One entry of `outputClaimToHeaders`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimHeader {
    pub header: HeaderName,
    pub claim: ClaimPath,
    /// How its value is written.
    pub format: Format,
}

/// How a claim's value becomes text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// A text as it is, lists of scalars with commas between; objects and deeper lists as `Base64Json`.
    Plain,
    /// A list with commas between, for upstreams that split at them; a text is a list of one. The rest as `Plain`.
    Comma,
    /// The same with spaces.
    Space,
    /// Words with spaces between, as the claim has them (RFC 6749 section 3.3). Lists as `Space`.
    Words,
    /// Compact JSON.
    Json,
    /// JSON in padded base64 (RFC 4648 section 4).
    Base64Json,
    /// What Envoy's `claim_to_headers` writes.
    Envoy,
}

/// The value can't be written so that the upstream reads the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unwritable;

impl ClaimHeader {
    /// The header's value for these claims; `None` if they do not have the claim, or it is null or empty.
    ///
    /// # Errors
    /// A value with control characters or outer blanks, a list element that holds the separator, or a whole number beyond
    /// 64 bits, of which only the nearest double is left.
    pub fn render(&self, claims: &Claims) -> Result<Option<String>, Unwritable> {
        let Some(value) = self.claim.walk(claims.members()) else { return Ok(None) };
        // Envoy has but doubles, and so have those who expect what it writes.
        if self.format != Format::Envoy && !is_exact(value) {
            return Err(Unwritable);
        }
        let text = self.format.render(value)?;
        if text.chars().any(|c| c.is_control() && c != '\t') || text.trim_matches([' ', '\t']).len() != text.len() {
            return Err(Unwritable);
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

impl Format {
    fn render(self, value: &Value) -> Result<String, Unwritable> {
        match (self, value) {
            (_, Value::Null) => Ok(String::new()),
            (Self::Json, value) => Ok(value.to_string()),
            (Self::Base64Json, value) => Ok(STANDARD.encode(value.to_string())),
            (Self::Comma | Self::Space, Value::String(text)) if text.is_empty() => Ok(String::new()),
            (Self::Comma, text @ Value::String(_)) => join(slice::from_ref(text), COMMA),
            (Self::Space, text @ Value::String(_)) => join(slice::from_ref(text), SPACE),
            (Self::Plain | Self::Comma, Value::Array(list)) if list.iter().all(is_flat) => join(list, COMMA),
            (Self::Space | Self::Words, Value::Array(list)) if list.iter().all(is_flat) => join(list, SPACE),
            (Self::Envoy, Value::Number(number)) => Ok(envoy_number(number)),
            (_, Value::String(text)) => Ok(text.clone()),
            (_, Value::Number(number)) => Ok(number.to_string()),
            (_, Value::Bool(flag)) => Ok(flag.to_string()),
            (_, Value::Array(_) | Value::Object(_)) => Ok(STANDARD.encode(value.to_string())),
        }
    }
}

/// What stands between elements, and what a reader may take for it.
type Separator = (&'static str, fn(char) -> bool);

const COMMA: Separator = (",", |c| c == ',');
const SPACE: Separator = (" ", char::is_whitespace);

/// Whether every number in it is what the token says.
fn is_exact(value: &Value) -> bool {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().is_some_and(|double| double.fract() != 0.0 || (-TWO_TO_63 < double && double < TWO_TO_64))
        }
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

fn is_flat(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

/// An element that holds a separator or blanks around it, or is empty or null, would be read as other elements than the token has.
fn join(list: &[Value], (separator, separates): Separator) -> Result<String, Unwritable> {
    let elements = list.iter().map(|element| match element {
        Value::String(text) if text.is_empty() || text.trim() != text || text.contains(separates) => Err(Unwritable),
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err(Unwritable),
        scalar => Ok(scalar.to_string()),
    });
    Ok(elements.collect::<Result<Vec<_>, _>>()?.join(separator))
}

/// Envoy holds numbers as doubles: whole ones from 0 to 2^64 are written whole, all others with six decimals.
fn envoy_number(number: &serde_json::Number) -> String {
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    match (number.as_u64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(double)) if (0.0..TWO_TO_64).contains(&double) && double.fract() == 0.0 => {
            format!("{:.0}", double.abs())
        }
        (None, Some(double)) => format!("{double:.6}"),
        (None, None) => number.to_string(),
    }
}
