//! What a request does: host, method and path, matched as Istio's `operation` does (AuthorizationPolicy `to`).

pub mod glob;
pub mod host;
pub mod path;
pub mod pattern;

use host::HostPattern;
use path::{PathPattern, Reading};
use pattern::Pattern;

use crate::request::Request;

/// Requests of one kind. An empty list stands for everything; lists are ANDed, their values ORed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RequestMatch {
    /// Hosts, compared without regard to case.
    pub hosts: Vec<HostPattern>,
    pub methods: Vec<Pattern>,
    /// Paths, compared without query and fragment.
    pub paths: Vec<PathPattern>,
}

impl RequestMatch {
    /// Whether the request is of this kind when its path is read so.
    ///
    /// It decides which rules apply, and nobody may escape a rule: methods count in any case, and a host or a path that is
    /// missing matches every pattern.
    pub fn matches(&self, request: &Request, path: &Reading<'_>) -> bool {
        let method = request.method();
        (self.methods.is_empty() || self.methods.iter().any(|pattern| pattern.matches_in_any_case(method)))
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host.matches(request.authority())))
            && (self.paths.is_empty() || path.is_missing() || self.paths.iter().any(|pattern| pattern.matches(path)))
    }
}
