//! Regular expressions for a whole text. They run in linear time whatever they say.

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, problem::shown, shape::Shape};

/// The longest expression, in bytes.
const LONGEST: usize = 1_000;
/// What a compiled one may take, in bytes.
const LARGEST: usize = 64 * 1024;

/// An expression for the whole text.
#[inline(never)]
pub(super) fn expression(at: &mut At<'_>, text: String) -> Option<Regex> {
    if text.len() > LONGEST {
        let sentence = format!("{} has {} bytes, more than the {LONGEST} allowed", shown(&text), text.len());
        at.error(sentence).help("write several shorter ones");
        return None;
    }
    let compiled = |expression: &str| RegexBuilder::new(expression).size_limit(LARGEST).build();
    // Alone first: what is only sound inside of the anchors, such as `a)(b`, is none.
    let anchored = || compiled(&format!("^(?:{text})$"));
    // Under the flag `x` a comment at the end would go on to the bracket, but not over a line break.
    let commented = |_| compiled(&format!("^(?:{text}\n)$"));
    match compiled(&text).and_then(|_| anchored().or_else(commented)) {
        Ok(regex) => Some(regex),
        Err(error) => {
            at.error(format!("{} is not a regular expression: {error}", shown(&text)))
                .help("there are neither back references nor look-around");
            None
        }
    }
}

impl Shape for Regex {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let text = at.written_text(value)?;
        expression(at, text)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::longest_text(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Problems;

    #[test]
    fn a_comment_ends_before_the_bracket() {
        let mut problems = Problems::default();
        for (text, matched, other) in [("(?x) a | b # c", "b", "bc"), ("(?x)a#b)", "a", "a\n"), ("a#b", "a#b", "a#b\n")]
        {
            let regex = expression(&mut At::top(&mut problems), text.to_owned()).unwrap();
            assert!(regex.is_match(matched) && !regex.is_match(other), "{text}");
        }
    }
}
