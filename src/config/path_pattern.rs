//! Patterns of paths: exact, `abc*`, `*abc`, `*`, or a template.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, pattern::report_not_a_pattern, problem::shown, shape::Shape};
use crate::matching::path::{NotAPathPattern, PathPattern, unencoded};

impl Shape for PathPattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        let pattern = path_pattern(at, &written, Self::parse)?;
        if pattern.names().next().is_some() {
            at.wrong(&written, "names a segment, and nothing here compares it").help("write `{*}` for any one segment");
        }
        Some(pattern)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern("^[/*][^?#]*$")
    }
}

/// A path or a template, whose names may capture.
#[inline(never)]
pub(super) fn path_pattern(
    at: &mut At<'_>,
    written: &str,
    read: fn(&str) -> Result<PathPattern, NotAPathPattern>,
) -> Option<PathPattern> {
    if !written.is_empty() && !written.starts_with(['/', '*']) {
        at.wrong(written, "matches no path: paths start with `/`").help(format!("write `/{written}`"));
        return None;
    }
    if written.contains(['?', '#']) {
        at.wrong(written, "matches no path: paths have neither query nor fragment")
            .help("write only what stands before `?`");
        return None;
    }
    match read(written) {
        Ok(pattern) => {
            report_encoded(at, written);
            return Some(pattern);
        }
        Err(NotAPathPattern::Pattern(reason)) => report_not_a_pattern(at, written, reason),
        Err(NotAPathPattern::Template) => at.wrong(written, "is not a path template").help(
            "let `{*}` stand for one whole segment, `{**}` for any number as the last wildcard, and write no other `*`",
        ),
        Err(NotAPathPattern::Names) => {
            at.wrong(written, "has one name for two segments").help("give each its own, or write `{*}`");
        }
    }
    None
}

/// Warns of letters and digits that are encoded: servers see no difference, and Envoy may have decoded them.
#[cold]
#[inline(never)]
fn report_encoded(at: &mut At<'_>, written: &str) {
    let read = unencoded(written);
    if read != written {
        at.warn(format!("servers read {} as {}, which it does not match", shown(written), shown(&read)))
            .help("write the path as servers read it");
    }
}
