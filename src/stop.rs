//! Why a request does not go on: every stage of a decision returns it, and `?` carries it up.

use std::rc::Rc;

use crate::{denial::Denial, location::Place, outbound::SourceIndex, reason::Reason};

/// What ends a decision before the request may go on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The request is denied.
    Deny(Box<Denial>),
    /// A fetch of this source may settle it; then the request is decided again. If nothing comes, this is the denial.
    Wait(SourceIndex, Box<Denial>),
    /// Whether the token is good can't be known now, and waiting does not help.
    Unavailable(Box<Denial>),
}

impl Stop {
    /// The denial, if nothing else comes.
    pub fn denial(&self) -> &Denial {
        match self {
            Self::Deny(denial) | Self::Wait(_, denial) | Self::Unavailable(denial) => denial,
        }
    }

    /// The denial, to be sent now.
    pub fn into_denial(self) -> Denial {
        match self {
            Self::Deny(denial) | Self::Wait(_, denial) | Self::Unavailable(denial) => *denial,
        }
    }

    /// The same, by this token rule.
    #[must_use]
    pub fn by(mut self, provider: &Rc<str>) -> Self {
        self.denial_mut().provider = Some(Rc::clone(provider));
        self
    }

    /// The same, of this token.
    #[must_use]
    pub fn of(mut self, token: Place) -> Self {
        self.denial_mut().token = Some(token);
        self
    }

    /// Whether it is rather told than another: what may still settle first, then the reason of the later check.
    pub fn outranks(&self, other: &Self) -> bool {
        let rank = |stop: &Self| match stop {
            Self::Deny(denial) => (0, Some(denial.reason)),
            Self::Unavailable(_) => (1, None),
            Self::Wait(..) => (2, None),
        };
        rank(self) >= rank(other)
    }

    fn denial_mut(&mut self) -> &mut Denial {
        match self {
            Self::Deny(denial) | Self::Wait(_, denial) | Self::Unavailable(denial) => denial,
        }
    }
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial.into())
    }
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Denial::of(reason).into()
    }
}
