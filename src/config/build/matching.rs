//! Hosts, methods and paths.

use super::{At, Problem, shown};
use crate::matching::path::{NotAPathPattern, PathPattern};

/// What can be no host, and so would never match.
pub(in crate::config) fn no_host(at: &At<'_>, host: &str) -> Option<Problem> {
    let is_none = host.contains(['/', '?', '#', ' ']) || host.matches(':').count() > 1 && !host.contains('[');
    let problem = at.problem(format!("{} is not a host", shown(host)));
    is_none.then(|| problem.help("write `api.example.com`, `*.example.com` or `[::1]`, with or without a port"))
}

/// What can be no method, and so would never match.
pub(in crate::config) fn no_method(at: &At<'_>, method: &str) -> Option<Problem> {
    if method.contains([',', ' ']) {
        let problem = at.problem(format!("{} is not one method", shown(method)));
        return Some(problem.help("write each method as an element of its own"));
    }
    let is_lower = method.chars().any(|c| c.is_ascii_lowercase());
    let problem = at.problem(format!("{} is not a method: methods are upper case", shown(method)));
    is_lower.then(|| problem.help(format!("write `{}`", method.to_ascii_uppercase())))
}

/// A path or a template, whose names may capture.
pub(in crate::config) fn path_pattern(
    at: &mut At<'_>,
    written: &str,
    read: fn(&str) -> Result<PathPattern, NotAPathPattern>,
) -> Option<PathPattern> {
    if !written.is_empty() && !written.starts_with(['/', '*']) {
        let problem = at.problem(format!("{} matches no path: paths start with `/`", shown(written)));
        at.report(problem.help(format!("write `/{written}`")));
        return None;
    }
    if written.contains(['?', '#']) {
        let problem = at.problem(format!("{} matches no path: paths have neither query nor fragment", shown(written)));
        at.report(problem.help("write only what stands before `?`"));
        return None;
    }
    match read(written) {
        Ok(pattern) => Some(pattern),
        Err(NotAPathPattern::Pattern(reason)) => {
            at.not_a_pattern(written, reason);
            None
        }
        Err(NotAPathPattern::Template) => {
            let problem = at.problem(format!("{} is not a path template", shown(written)));
            at.report(
                problem.help("let `{*}` stand for one whole segment, `{**}` for any number as the last wildcard, and write no other `*`"),
            );
            None
        }
    }
}
