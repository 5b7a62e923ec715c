//! What is to be told of a decision, to whoever watches: the log, the metrics, the access log.

use crate::{decision::Denial, provider::ProviderIndex};

/// The account of one decision. It holds nothing secret, and of the token only what was asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Account {
    /// Why the request was refused; nothing if it was not.
    pub denial: Option<Denial>,
    /// The token rule it was decided by: the first whose token was good, or that found the token bad.
    pub rule: Option<ProviderIndex>,
    /// The policy rule that decided, by id.
    pub policy: Option<String>,
}
