//! CORS for denials (Fetch standard): without it a browser hides from a page of another origin why it was refused.

use regex_lite::Regex;

use crate::request::Request;

/// Read by a client that wants to do better next time, and not readable by default.
const EXPOSED: [&str; 2] = ["www-authenticate", "retry-after"];

/// Istio's CorsPolicy, as far as it is about answers.
#[derive(Debug)]
pub struct Cors {
    /// Whose pages may read; any of these.
    pub allow_origins: Vec<OriginPattern>,
    /// Whether they may if they sent cookies along.
    pub allow_credentials: bool,
    /// Headers that they may read as well.
    pub expose_headers: Vec<String>,
}

/// Istio's StringMatch of an origin.
#[derive(Debug)]
pub enum OriginPattern {
    /// `exact: "*"`.
    Any,
    Exact(String),
    /// All that begin so.
    Prefix(String),
    /// All that match as a whole.
    Regex(Regex),
}

impl Cors {
    /// What a denial of this request says to a browser.
    pub(super) fn headers(&self, request: &Request) -> Vec<(&'static str, String)> {
        // Said also to other origins, for a cache must not hand them what was meant for one that may read.
        let mut headers = vec![("vary", "origin".to_owned())];
        let origin = self.allowed(request);
        if let Some(origin) = origin {
            let exposed = EXPOSED.into_iter().chain(self.expose_headers.iter().map(String::as_str));
            headers.push(("access-control-allow-origin", origin.to_owned()));
            headers.push(("access-control-expose-headers", exposed.collect::<Vec<_>>().join(", ")));
            if self.allow_credentials {
                headers.push(("access-control-allow-credentials", "true".to_owned()));
            }
        }
        headers
    }

    /// The request's one origin, if it may read.
    fn allowed<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let mut origins = request.values("origin");
        let origin = std::str::from_utf8(origins.next()?).ok()?;
        let is_sound = !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic());
        (is_sound && origins.next().is_none() && self.allow_origins.iter().any(|pattern| pattern.matches(origin)))
            .then_some(origin)
    }
}

impl OriginPattern {
    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => origin == exact,
            Self::Prefix(prefix) => origin.starts_with(prefix),
            Self::Regex(regex) => regex.is_match(origin),
        }
    }
}
