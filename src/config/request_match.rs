//! `match`: the requests that a rule is for.

use super::{method::Method, shape::object};
use crate::matching::{RequestMatch, host::HostPattern, path::PathPattern};

object! {
    /// Requests of one kind: all of the lists must match, a list by any of its values.
    pub struct Match:

    /// Hosts, compared without regard to case and to a trailing dot: exact, `abc*`, `*abc` or `*`. Default: every host.
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
