//! Patterns of methods.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, pattern::pattern, shape::Shape};
use crate::matching::pattern::Pattern;

/// A pattern of methods.
#[derive(Debug)]
pub(super) struct Method(pub(super) Pattern);

impl Shape for Method {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        report_no_method(at, &written);
        pattern(at, &written).map(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^(\*|\*[^*a-z, ]+|[^*a-z, ]+\*?)$")
    }
}

/// Reports what can be no method, and so would never match.
#[inline(never)]
pub(super) fn report_no_method(at: &mut At<'_>, method: &str) {
    if method.contains([',', ' ']) {
        at.wrong(method, "is not one method").help("write each method as an element of its own");
    } else if method.chars().any(|c| c.is_ascii_lowercase()) {
        at.wrong(method, "is not a method: methods are upper case")
            .help(format!("write `{}`", method.to_ascii_uppercase()));
    }
}
