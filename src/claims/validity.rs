//! What a provider's tokens must promise: kind, time, audience, subject (RFC 7519 section 4.1, RFC 8725 section 3).

use std::time::Duration;

use super::Claims;
use crate::{matching::pattern::Pattern, reason::Reason, time::UnixTime};

/// The checks of one rule. Everything here may change between two uses of a token or between two rules.
#[derive(Debug)]
pub struct Expectations {
    /// Accepted audiences; none means that `aud` is not looked at.
    pub audiences: Vec<Audience>,
    /// Accepted subjects; none means that `sub` is not looked at.
    pub subjects: Vec<Pattern>,
    /// Accepted kinds of token.
    pub types: Types,
    /// How far clocks may disagree.
    pub clock_skew: Duration,
    /// Whether a token must have `exp`.
    pub require_expiration: bool,
    /// How long a token may still be valid; implies that it has `exp`.
    pub max_lifetime: Option<Duration>,
}

impl Expectations {
    /// Holds a token against the rule at this moment.
    pub fn check(&self, claims: &Claims, now: UnixTime) -> Result<(), Reason> {
        if !self.types.accept(claims.header.typ.as_deref()) {
            return Err(Reason::TypeNotAllowed);
        }
        if claims.not_before.is_some_and(|from| now.plus(self.clock_skew) < from) {
            return Err(Reason::TokenNotYetValid);
        }
        match claims.expires {
            Some(until) if until.plus(self.clock_skew) <= now => return Err(Reason::TokenExpired),
            None if self.require_expiration || self.max_lifetime.is_some() => return Err(Reason::ExpirationMissing),
            _ => (),
        }
        if !self.audiences.is_empty() && !claims.audiences.iter().any(|audience| self.accepts_audience(audience)) {
            return Err(Reason::AudienceNotAllowed);
        }
        if !self.subjects.is_empty()
            && !claims.subject().is_some_and(|subject| self.subjects.iter().any(|pattern| pattern.matches(subject)))
        {
            return Err(Reason::SubjectNotAllowed);
        }
        match (self.max_lifetime, claims.expires) {
            (Some(most), Some(until)) if until.since(now) > most.saturating_add(self.clock_skew) => {
                Err(Reason::LifetimeTooLong)
            }
            _ => Ok(()),
        }
    }

    fn accepts_audience(&self, audience: &str) -> bool {
        self.audiences.iter().any(|accepted| accepted.is(audience))
    }
}

/// An accepted audience.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audience(String);

impl Audience {
    /// An audience as it is written, if there is anything to compare.
    pub fn parse(written: String) -> Option<Self> {
        let audience = Self(written);
        (!audience.is("")).then_some(audience)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an `aud` is this one as Envoy compares them: without `http://` or `https://` and without one trailing slash.
    fn is(&self, claimed: &str) -> bool {
        bare_audience(&self.0) == bare_audience(claimed)
    }
}

/// Which `typ` a rule takes. Compared without `application/` and without regard to case (RFC 7515 section 4.1.9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Types {
    /// Any that is not clearly another kind of token: none, `JWT`, `JOSE`, `at+jwt`, but nothing else with a `+`, such as
    /// `logout+jwt`, `dc+sd-jwt` or `JOSE+JSON`.
    Bearer,
    /// Only these; a token without `typ` is refused.
    Listed(Vec<String>),
}

impl Types {
    /// Only these kinds.
    pub fn listed<'a>(written: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Listed(written.into_iter().map(bare).collect())
    }

    fn accept(&self, typ: Option<&str>) -> bool {
        let typ = typ.map(bare);
        match (self, typ) {
            (Self::Bearer, None) => true,
            (Self::Bearer, Some(typ)) => typ == "at+jwt" || !typ.contains('+'),
            (Self::Listed(types), typ) => typ.is_some_and(|typ| types.contains(&typ)),
        }
    }
}

#[inline(never)]
fn bare_audience(written: &str) -> &str {
    let bare = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://")).unwrap_or(written);
    bare.strip_suffix('/').unwrap_or(bare)
}

fn bare(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    lower.strip_prefix("application/").map(str::to_owned).unwrap_or(lower)
}
