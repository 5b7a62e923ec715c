//! A header's name, equal to every name that an upstream may take for it.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// The name of a header in a configuration, in lower case.
///
/// CGI, WSGI and their heirs see `X-User`, `x_user` and `x-USER` as one (RFC 3875 section 4.1.18), and so does `==`.
#[derive(Clone, Debug)]
pub struct HeaderName(String);

impl HeaderName {
    /// A name as it is written.
    pub fn new(written: &str) -> Self {
        Self(written.to_ascii_lowercase())
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an upstream may take a header of this name for it.
    pub fn is(&self, name: &str) -> bool {
        self.0.len() == name.len() && folded(&self.0).eq(folded(name))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        folded(&self.0).for_each(|byte| state.write_u8(byte));
    }
}

fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_equal() {
        let name = HeaderName::new("X-User-Email");
        assert_eq!(name.as_str(), "x-user-email");
        for twin in ["x-user-email", "x_user_email", "X_User-EMAIL"] {
            assert!(name.is(twin), "{twin}");
            assert_eq!(name, HeaderName::new(twin));
        }
        for other in ["x-user-emai", "x-user-emails", "xuser-email", "x.user.email", ""] {
            assert!(!name.is(other), "{other}");
        }
    }
}
