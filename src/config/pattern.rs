//! Patterns of text: exact, `abc*`, `*abc` or `*`.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, shape::Shape};
use crate::matching::pattern::{NotAPattern, Pattern};

impl Shape for Pattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        pattern(at, &written)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^(\*|\*[^*]+|[^*]+\*?)$")
    }
}

pub(super) fn pattern(at: &mut At<'_>, written: &str) -> Option<Pattern> {
    Pattern::parse(written).map_err(|reason| report_not_a_pattern(at, written, reason)).ok()
}

#[cold]
pub(super) fn report_not_a_pattern(at: &mut At<'_>, written: &str, reason: NotAPattern) {
    match reason {
        NotAPattern::Empty => at.error("it is empty").help("write `*` for anything"),
        NotAPattern::Star => {
            at.wrong(written, "is not a pattern").help("put one `*` at the start or at the end, or write it without");
        }
    }
}
