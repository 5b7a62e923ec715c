//! What to do about a decision, as data: the edits of the request's headers. The proxy performs them in order.

mod hand_over;
pub mod reserved;

use crate::request::HeaderEdit;

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
