//! `match`: the requests that a rule is for.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    build::matching::{no_host, no_method, path_pattern},
    problem::shown,
    shape::{Shape, object},
};
use crate::matching::{RequestMatch, host::HostPattern, path::PathPattern, pattern::Pattern};

object! {
    /// Requests of one kind: all of the lists must match, a list by any of its values.
    pub struct Match:

    /// Hosts without regard to case and to a trailing dot: exact, `abc*`, `*abc` or `*`. Default: every host.
    pub hosts: Vec<HostPattern>,
    /// Methods, in upper case: exact, `abc*`, `*abc` or `*`. Default: every method.
    pub methods: Vec<Method>,
    /// Paths without query and fragment: exact, `abc*`, `*abc`, `*`, or a template. Default: every path.
    pub paths: Vec<PathPattern>,
}

impl Match {
    pub(super) fn checked(self) -> RequestMatch {
        let methods = self.methods.into_iter().map(|Method(method)| method).collect();
        RequestMatch { hosts: self.hosts, methods, paths: self.paths }
    }
}

/// A pattern of methods.
#[derive(Debug)]
pub(super) struct Method(Pattern);

impl Shape for Pattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        at.pattern(&written)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^(\*|\*[^*]+|[^*]+\*?)$")
    }
}

impl Shape for Method {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        no_method(at, &written).into_iter().for_each(|problem| at.report(problem));
        at.pattern(&written).map(Self)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^(\*|\*[^*a-z, ]+|[^*a-z, ]+\*?)$")
    }
}

impl Shape for HostPattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        no_host(at, &written).into_iter().for_each(|problem| at.report(problem));
        Self::parse(&written).map_err(|reason| at.not_a_pattern(&written, reason)).ok()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^[^/?# ]+$")
    }
}

impl Shape for PathPattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        let pattern = path_pattern(at, &written, Self::parse)?;
        if pattern.names().next().is_some() {
            let problem = at.error(format!("{} names a segment, and nothing here compares it", shown(&written)));
            problem.help("write `{*}` for any one segment");
        }
        Some(pattern)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern("^[/*][^?#]*$")
    }
}
