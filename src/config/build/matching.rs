//! `match`: the requests a rule is for.

use super::{At, shown};
use crate::{
    config::wire::Match,
    operation::{
        Operation,
        host::HostPattern,
        path::{NotAPathPattern, PathPattern},
    },
};

pub(super) fn operations(at: &mut At<'_>, written: Option<Vec<Match>>) -> Vec<Operation> {
    at.each(written, |at, written| {
        Some(Operation {
            hosts: at.field("hosts").each(written.hosts, |at, host| {
                if host.contains(['/', '?', '#', ' ']) || host.matches(':').count() > 1 && !host.contains('[') {
                    let problem = at.problem(format!("{} is not a host", shown(&host)));
                    at.report(
                        problem.help("write `api.example.com`, `*.example.com` or `[::1]`, with or without a port"),
                    );
                }
                HostPattern::parse(&host).map_err(|reason| at.not_a_pattern(&host, reason)).ok()
            }),
            methods: at.field("methods").each(written.methods, |at, method| {
                if method.contains([',', ' ']) {
                    let problem = at.problem(format!("{} is not one method", shown(&method)));
                    at.report(problem.help("write each method as an element of its own"));
                } else if method.chars().any(|c| c.is_ascii_lowercase()) {
                    let problem = at.problem(format!("{} is not a method: methods are upper case", shown(&method)));
                    at.report(problem.help(format!("write `{}`", method.to_ascii_uppercase())));
                }
                at.pattern(&method)
            }),
            paths: at.field("paths").each(written.paths, path),
        })
    })
}

fn path(at: &mut At<'_>, written: String) -> Option<PathPattern> {
    if !written.is_empty() && !written.starts_with(['/', '*']) {
        let problem = at.problem(format!("{} matches no path: paths start with `/`", shown(&written)));
        at.report(problem.help(format!("write `/{written}`")));
        return None;
    }
    if written.contains(['?', '#']) {
        let problem = at.problem(format!("{} matches no path: paths have neither query nor fragment", shown(&written)));
        at.report(problem.help("write only what stands before `?`"));
        return None;
    }
    match PathPattern::parse(&written) {
        Ok(pattern) => Some(pattern),
        Err(NotAPathPattern::Pattern(reason)) => {
            at.not_a_pattern(&written, reason);
            None
        }
        Err(NotAPathPattern::Template) => {
            let problem = at.problem(format!("{} is not a path template", shown(&written)));
            at.report(
                problem.help("let `{*}` stand for one whole segment, `{**}` for the rest, and write no other `*`"),
            );
            None
        }
    }
}
