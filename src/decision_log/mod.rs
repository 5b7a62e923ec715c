//! The record of a decision, for whoever watches: the log, the metrics, the access log, the debug header.
//!
//! A record costs next to nothing, for it only points at what there is to say. The words are worked out for whoever asks:
//! [`mod@line`] for the log, [`mod@trace`] for the debug header.

pub mod denials;
pub mod filter_state;
pub mod line;
pub mod logfmt;
pub mod throttle;
pub mod token_summary;
pub mod trace;

use std::rc::Rc;

use crate::{
    authenticate::Identity, claims::Claims, denial::Denial, location::Place, policy::Shadow, reason::Reason,
    upstream::HeaderMutation,
};

/// What one decision leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Who sent the request; the first is the one that policies ask about.
    pub identities: Vec<Identity>,
    /// What is done to the request.
    pub mutation: HeaderMutation,
    /// What the policies note beside their decision; nothing if they were not asked.
    pub shadow: Option<Shadow>,
    /// The policy rule that allowed the request, by id.
    pub allowed_by: Option<Rc<str>>,
    /// Why the request is denied; nothing if it is not.
    pub denial: Option<Denial>,
}

/// The token that a decision was about.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// There was none.
    Absent,
    /// It was denied, so what it says is only claimed.
    Claimed(&'a Place),
    /// It was good.
    Proven(&'a Claims),
}

impl Record {
    /// Why the request is denied; nothing if it is not.
    pub fn reason(&self) -> Option<Reason> {
        self.denial.as_ref().map(|denial| denial.reason)
    }

    /// `allowed` or `denied`.
    pub fn outcome(&self) -> &'static str {
        if self.denial.is_some() { "denied" } else { "allowed" }
    }

    /// The token rule that found a token bad or missing, or that vouches for who sent the request, by name.
    pub fn provider(&self) -> Option<&str> {
        let judged = self.denial.as_ref().and_then(|denial| denial.provider.as_deref());
        judged.or_else(|| self.identities.first().map(|identity| &*identity.provider.name))
    }

    /// The policy rule that decided, by id: what denied, or what allowed.
    pub fn rule(&self) -> Option<&str> {
        let denied_by = self.denial.as_ref().and_then(|denial| denial.rule.as_deref());
        denied_by.or(self.allowed_by.as_deref())
    }

    /// What AUDIT policies and dry runs note, line by line.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.shadow.iter().flat_map(|shadow| {
            let audited = shadow.audited.iter().map(|rule| format!("audit: {rule}"));
            let would_deny = shadow
                .would_deny
                .iter()
                .map(|rule| format!("dry run: would deny by {}", rule.as_deref().unwrap_or("no rule that allows")));
            audited.chain(would_deny)
        })
    }

    /// The token that it was about.
    pub fn credential(&self) -> Credential<'_> {
        match (self.denial.as_ref().and_then(|denial| denial.token.as_ref()), self.identities.first()) {
            (Some(place), _) => Credential::Claimed(place),
            (None, Some(identity)) => Credential::Proven(&identity.claims),
            (None, None) => Credential::Absent,
        }
    }
}
