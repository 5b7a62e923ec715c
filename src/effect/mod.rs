//! What to do about a decision, as data: the edits of the request's headers. The proxy performs them in order.

pub mod claim_header;
mod handover;
pub mod reserved;

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

/// Everything a request goes through before it continues.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Effects {
    /// In the order to perform them.
    pub edits: Vec<HeaderEdit>,
    /// Headers that were to carry a claim whose value no header can carry faithfully, each with its rule.
    pub dropped: Vec<(String, String)>,
    /// Whether the route is to be chosen anew after the edits, for it may hang on what they changed.
    pub clear_route_cache: bool,
}
