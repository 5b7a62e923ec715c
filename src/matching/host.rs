//! Hosts of a `match`: without regard to case (RFC 9110 section 4.2.3), to a trailing dot, and to a port nobody asked for.

use super::pattern::{NotAPattern, Pattern};

/// One host pattern. A pattern without a port matches every port: otherwise `Host: api.example.com:80` would escape it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPattern {
    pattern: Pattern,
    with_port: bool,
}

impl HostPattern {
    /// Reads a host pattern.
    pub fn parse(text: &str) -> Result<Self, NotAPattern> {
        let lower = text.to_ascii_lowercase();
        let lower = lower.strip_suffix('.').map_or(lower.clone(), str::to_owned);
        Ok(Self {
            with_port: port(lower.as_bytes()).is_some() || lower.ends_with(":*"),
            pattern: Pattern::parse(&lower)?,
        })
    }

    /// Whether the request's authority matches; one that is missing does.
    pub fn matches(&self, authority: &[u8]) -> bool {
        if is_missing(authority) {
            return true;
        }
        let authority = authority.to_ascii_lowercase();
        let (host, port) = match port(&authority) {
            Some((host, port)) => (host, Some(port)),
            None => (authority.as_slice(), None),
        };
        let host = host.strip_suffix(b".").unwrap_or(host);
        match (self.with_port, port) {
            (true, Some(port)) => self.pattern.matches([host, b":", port].concat()),
            _ => self.pattern.matches(host),
        }
    }
}

/// Whether there is no host, with a port or without.
pub fn is_missing(authority: &[u8]) -> bool {
    matches!(authority.first(), None | Some(b':'))
}

/// Host and port of `host:port`; an IPv6 address keeps its brackets.
fn port(authority: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = authority.iter().rposition(|byte| *byte == b':')?;
    let (host, port) = authority.split_at_checked(colon)?;
    let port = port.strip_prefix(b":")?;
    (port.iter().all(u8::is_ascii_digit) && !host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_nobody_asked_for_does_not_matter() {
        for (pattern, authority, expected) in [
            ("api.example.com", "api.example.com", true),
            ("api.example.com", "API.example.com:8443", true),
            ("api.example.com", "api.example.com.:80", true),
            ("api.example.com", "api.example.com.", true),
            ("api.example.com.", "api.example.com", true),
            ("api.example.com", "api.example.com.evil", false),
            ("api.example.com:8443", "api.example.com:8443", true),
            ("api.example.com:8443", "api.example.com", false),
            ("api.example.com:8443", "api.example.com:443", false),
            ("api.example.com:*", "api.example.com:1", true),
            ("*.example.com", "a.example.com:80", true),
            ("*.example.com", "example.com", false),
            ("*", "x", true),
            ("*", "", true),
            ("api.example.com", "", true),
            ("api.example.com", ":80", true),
            ("[::1]", "[::1]", true),
            ("[::1]", "[::1]:80", true),
        ] {
            assert_eq!(
                HostPattern::parse(pattern).unwrap().matches(authority.as_bytes()),
                expected,
                "{pattern} {authority}"
            );
        }
    }
}
