//! The headers only claimgate may write: whatever a client sends under such a name is a forgery.

use crate::request::{HeaderEdit, HeaderName, Request};

/// Names of identity headers, each once.
#[derive(Debug, Default)]
pub struct ReservedHeaders(Vec<HeaderName>);

impl ReservedHeaders {
    /// Reserves these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        let mut reserved = Vec::new();
        for name in names {
            if !reserved.contains(name) {
                reserved.push(name.clone());
            }
        }
        Self(reserved)
    }

    /// Whether an upstream may take a header of this name for a reserved one.
    pub fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|reserved| reserved.is(name))
    }

    /// The names of every forged header, each once, as it was sent.
    pub fn forged<'a>(&self, sent: &'a Request) -> Vec<&'a str> {
        let mut forged = Vec::new();
        for name in sent.names().filter(|name| self.holds(name)) {
            if !forged.contains(&name) {
                forged.push(name);
            }
        }
        forged
    }

    /// The edits that take forged headers out, and see to it that the next hop leaves the written ones in: it drops what
    /// `Connection` names (RFC 9110 section 7.6.1).
    pub fn removal(&self, sent: &Request) -> Vec<HeaderEdit> {
        let forged = self.forged(sent).into_iter().map(|name| HeaderEdit::Remove(name.to_owned()));
        forged.chain(self.connection(sent)).collect()
    }

    /// `Connection` without reserved names, if it has any.
    fn connection(&self, sent: &Request) -> Option<HeaderEdit> {
        let is_reserved = |option: &&[u8]| std::str::from_utf8(option).is_ok_and(|name| self.holds(name));
        let options =
            || sent.values(CONNECTION).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        options().find(is_reserved)?;
        let kept: Vec<&[u8]> = options().filter(|option| !option.is_empty() && !is_reserved(option)).collect();
        Some(if kept.is_empty() {
            HeaderEdit::Remove(CONNECTION.to_owned())
        } else {
            HeaderEdit::Set(CONNECTION.to_owned(), kept.join(b", ".as_slice()))
        })
    }
}

const CONNECTION: &str = "connection";
