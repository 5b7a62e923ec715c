//! Hosts, methods and paths, and `match`: the requests a token rule is for.

use super::{At, Problem, shown};
use crate::{
    config::wire::Match,
    matching::{
        RequestMatch,
        host::HostPattern,
        path::{NotAPathPattern, PathPattern},
    },
};

pub(super) fn request_matches(at: &mut At<'_>, written: Option<Vec<Match>>) -> Vec<RequestMatch> {
    at.each(written, |at, written| {
        Some(RequestMatch {
            hosts: at.field("hosts").each(written.hosts, |at, host| {
                no_host(at, &host).into_iter().for_each(|problem| at.report(problem));
                HostPattern::parse(&host).map_err(|reason| at.not_a_pattern(&host, reason)).ok()
            }),
            methods: at.field("methods").each(written.methods, |at, method| {
                no_method(at, &method).into_iter().for_each(|problem| at.report(problem));
                at.pattern(&method)
            }),
            paths: at.field("paths").each(written.paths, |at, written| {
                let pattern = path_pattern(at, &written, PathPattern::parse)?;
                if pattern.names().next().is_some() {
                    let problem =
                        at.problem(format!("{} names a segment, and nothing here compares it", shown(&written)));
                    at.report(problem.help("write `{*}` for any one segment"));
                }
                Some(pattern)
            }),
        })
    })
}

/// What can be no host, and so would never match.
pub(super) fn no_host(at: &At<'_>, host: &str) -> Option<Problem> {
    let is_none = host.contains(['/', '?', '#', ' ']) || host.matches(':').count() > 1 && !host.contains('[');
    let problem = at.problem(format!("{} is not a host", shown(host)));
    is_none.then(|| problem.help("write `api.example.com`, `*.example.com` or `[::1]`, with or without a port"))
}

/// What can be no method, and so would never match.
pub(super) fn no_method(at: &At<'_>, method: &str) -> Option<Problem> {
    if method.contains([',', ' ']) {
        let problem = at.problem(format!("{} is not one method", shown(method)));
        return Some(problem.help("write each method as an element of its own"));
    }
    let is_lower = method.chars().any(|c| c.is_ascii_lowercase());
    let problem = at.problem(format!("{} is not a method: methods are upper case", shown(method)));
    is_lower.then(|| problem.help(format!("write `{}`", method.to_ascii_uppercase())))
}

/// A path or a template, whose names may capture.
pub(super) fn path_pattern(
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
