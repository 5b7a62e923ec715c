//! A denial: the reason, and what is known about it.

use std::{rc::Rc, time::Duration};

use crate::{location::Place, reason::Reason};

/// Why a request is denied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    pub reason: Reason,
    /// The token rule that found a token bad or missing, by name; none if no rule got to judge.
    pub provider: Option<Rc<str>>,
    /// The token that was denied.
    pub token: Option<Place>,
    /// The policy rule that decided, by id; none if it is that no rule did.
    pub rule: Option<Rc<str>>,
    /// The scopes that would have been enough, if that is known (RFC 6750 section 3).
    pub scopes: Vec<String>,
    /// Whether no one was authenticated: RFC 6750 section 3.1 wants no error code then.
    pub is_anonymous: bool,
    /// When to try again, if that may help.
    pub retry_after: Option<Duration>,
}

impl Denial {
    /// A denial of which nothing but the reason is known.
    pub fn of(reason: Reason) -> Self {
        Self {
            reason,
            provider: None,
            token: None,
            rule: None,
            scopes: Vec::new(),
            is_anonymous: false,
            retry_after: None,
        }
    }

    /// The keys that may prove a token are not available, and will not be before this.
    pub fn keys_unavailable(retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::of(Reason::KeysUnavailable) }
    }
}
