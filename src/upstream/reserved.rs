//! The headers only claimgate may write: whatever a client sends under such a name is a forgery.

use std::collections::HashSet;

use crate::request::Request;

/// Names of identity headers, in the one form in which upstreams confuse them: lower case, `_` for `-`.
#[derive(Debug, Default)]
pub struct ReservedHeaders(HashSet<String>);

impl ReservedHeaders {
    /// Reserves these names with all their variants.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(confusable).collect())
    }

    /// Whether this name is reserved, in whatever variant.
    pub fn holds(&self, name: &str) -> bool {
        self.0.contains(&confusable(name))
    }

    /// The names of every forged header, each once, as it was sent.
    pub fn forged(&self, sent: &Request) -> Vec<String> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut forged: Vec<String> = Vec::new();
        for name in sent.names().filter(|name| self.holds(name)) {
            if !forged.iter().any(|known| known == name) {
                forged.push(name.to_owned());
            }
        }
        forged
    }
}

/// CGI, WSGI and their heirs see `X-User`, `x_user` and `x-USER` as one (RFC 3875 section 4.1.18).
pub fn confusable(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}
