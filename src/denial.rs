//! Why a request is refused, as far as it is known.

use std::{rc::Rc, time::Duration};

use crate::reason::Reason;

/// A denial with what is known about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    /// The reason.
    pub reason: Reason,
    /// The rule that decided, by id; `None` if it is that no rule did.
    pub rule: Option<Rc<str>>,
    /// The scopes that would have been enough, if that is known (RFC 6750 section 3).
    pub scopes: Vec<String>,
    /// Whether nobody was authenticated: RFC 6750 section 3.1 wants no error code then.
    pub is_anonymous: bool,
    /// When to try again, if that may help.
    pub retry_after: Option<Duration>,
}

impl Denial {
    /// A denial that is not about a policy.
    pub fn of(reason: Reason) -> Self {
        Self { reason, rule: None, scopes: Vec::new(), is_anonymous: false, retry_after: None }
    }

    /// The same denial, of a request that a token would have helped.
    pub fn for_want_of_a_token(self) -> Self {
        Self { reason: Reason::TokenMissing, ..self }
    }
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self::of(reason)
    }
}
