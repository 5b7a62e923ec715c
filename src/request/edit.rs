//! Edits of a request's headers, as data.

/// One edit of the request's headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderEdit {
    /// Takes every value of the header away.
    Remove(String),
    /// Makes this the header's only value.
    Set(String, Vec<u8>),
    /// Adds a value behind those there are.
    Add(String, Vec<u8>),
}
