//! The trace of a decision in one header value, for who knows the secret: the log's pairs, then what each rule lacked, then
//! why headers are missing.

use crate::{
    request::{HeaderName, Request},
    secret::Secret,
};

/// The longest trace, in bytes.
const LONGEST: usize = 2048;
const CUT: &str = "; ...";

/// `debug`: the header that asks for a trace and brings it.
#[derive(Clone, Debug)]
pub struct Debug {
    pub header: HeaderName,
    /// What the header must say.
    pub secret: Secret,
}

impl Debug {
    /// Whether the request asks for a trace and may.
    pub fn is_asked_by(&self, request: &Request) -> bool {
        request.values(self.header.as_str()).any(|said| self.secret.is(said))
    }
}

/// One step after the other, in visible ASCII.
pub fn trace(steps: &[String]) -> String {
    let steps = steps.join("; ");
    let visible = steps.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    if steps.chars().count() <= LONGEST {
        return visible.collect();
    }
    visible.take(LONGEST - CUT.len()).chain(CUT.chars()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A header value of bounded size, whatever rules are called.
        #[test]
        fn a_trace_is_a_header_value(decision in ".{0,3000}", rules in prop::collection::vec(".{0,300}", 0..20)) {
            let trace = trace(&[vec![decision], rules].concat());
            prop_assert!(trace.len() <= LONGEST);
            prop_assert!(trace.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
