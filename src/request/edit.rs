//! One edit of a request's headers, as data. The proxy does them in order.

/// An edit. Names are in lower case, values are bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderEdit {
    /// Takes every value of the header away.
    Remove(String),
    /// Makes this the header's only value.
    Set(String, Vec<u8>),
    /// Adds a value behind those there are.
    Add(String, Vec<u8>),
}

impl HeaderEdit {
    /// Whether nothing that the header was before is left of it.
    pub(super) fn replaces(&self, name: &str) -> bool {
        matches!(self, Self::Remove(edited) | Self::Set(edited, _) if edited == name)
    }

    /// The value that it gives this header.
    pub(super) fn value_of(&self, name: &str) -> Option<&[u8]> {
        match self {
            Self::Set(edited, value) | Self::Add(edited, value) if edited == name => Some(value),
            _ => None,
        }
    }

    /// The header that it gives a value.
    pub(super) fn written(&self) -> Option<&str> {
        match self {
            Self::Remove(_) => None,
            Self::Set(name, _) | Self::Add(name, _) => Some(name),
        }
    }
}
