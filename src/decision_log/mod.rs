//! What is to be told of a decision, to whoever watches: the log, the metrics, the access log.
//!
//! An record costs next to nothing, for it only points at what there is to tell. What is told in words is worked out for
//! whoever asks: [`entry`] for the log, [`mod@trace`] for the debug header, [`missing_header`] for who misses a header.

pub mod filter_state;
pub mod logfmt;
pub mod line;
pub mod missing_header;
pub mod throttle;
pub mod token_summary;
pub mod trace;

use std::rc::Rc;

use crate::{
    authenticate::{Identity, location::Place, provider::ProviderIndex},
    claims::Claims,
    reason::Reason,
};

/// The record of one decision.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// Why the request was refused; nothing if it was not.
    pub reason: Option<Reason>,
    /// The token rule it was decided by: the first whose token was good, or that found the token bad or missing.
    pub provider: Option<ProviderIndex>,
    /// The policy rule that decided, by id: what denied, or what allowed.
    pub rule: Option<Rc<str>>,
    /// The token it was about.
    pub credential: Credential,
}

/// The token that a decision was about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Credential {
    /// There was none.
    #[default]
    Absent,
    /// It was refused, so what it says is only claimed.
    Claimed(Place),
    /// It was good.
    Proven(Rc<Claims>),
}

impl Record {
    /// The record of what is decided about somebody, or about nobody.
    pub fn of(identity: Option<&Identity<'_>>) -> Self {
        let credential =
            identity.map_or(Credential::Absent, |identity| Credential::Proven(Rc::clone(&identity.claims)));
        Self { provider: identity.map(|identity| identity.provider.index), credential, ..Self::default() }
    }
}
