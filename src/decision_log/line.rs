//! A decision in one line of the log: [`Pairs`] whose keys and order stay the same.

use std::{borrow::Cow, fmt};

use sha2::{Digest, Sha256};

use super::{Credential, Record, logfmt::Pairs, token_summary::TokenSummary};
use crate::{encoding::hex, reason::Reason, request::Request, time::UnixTime};

/// How many bytes of a hash stand for a subject: enough to tell subjects apart.
const HASH: usize = 8;

/// `logSubjects`: how a token's `sub` is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Subjects {
    /// As the beginning of its SHA-256.
    #[default]
    Hash,
    /// As it is.
    Plain,
    /// Not at all.
    Hidden,
}

/// What an entry is written from.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// What was decided.
    pub record: &'a Record,
    pub request: &'a Request,
    /// The longest token looked into, in bytes.
    pub max_token_bytes: usize,
    /// How subjects are written.
    pub subjects: Subjects,
    /// When it was decided.
    pub now: UnixTime,
}

impl fmt::Display for Line<'_> {
    /// What was decided, then the pairs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.record.outcome(), self.pairs())
    }
}

impl Line<'_> {
    pub fn pairs(&self) -> String {
        let mut pairs = self.decision();
        pairs.tell("method", &String::from_utf8_lossy(self.request.method()));
        pairs.tell("host", &String::from_utf8_lossy(self.request.authority()));
        // The query may hold a token.
        let path = self.request.target().split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        pairs.tell("path", &String::from_utf8_lossy(path));
        pairs.into_line()
    }

    /// The part that is not about the request.
    pub fn decision(&self) -> Pairs {
        let mut pairs = Pairs::default();
        pairs.tell_if("reason", self.record.reason().map(Reason::code));
        pairs.tell_if("provider", self.record.provider());
        pairs.tell_if("rule", self.record.rule());
        match self.record.credential() {
            Credential::Absent => pairs.tell("token", "none"),
            Credential::Claimed(place) => {
                pairs.tell("token", "claimed");
                let token = place.token(self.request).filter(|token| token.len() <= self.max_token_bytes);
                let summary = token.map(|token| TokenSummary::claimed(&token));
                self.tell_token(&mut pairs, &summary.unwrap_or_default());
            }
            Credential::Proven(claims) => {
                pairs.tell("token", "proven");
                self.tell_token(&mut pairs, &TokenSummary::proven(claims));
            }
        }
        pairs
    }

    fn tell_token(&self, pairs: &mut Pairs, token: &TokenSummary<'_>) {
        pairs.tell_if("iss", token.iss.as_deref());
        pairs.tell_if("sub", token.sub.as_deref().and_then(|subject| self.subjects.written(subject)).as_deref());
        pairs.tell_if("kid", token.kid.as_deref());
        pairs.tell_if("alg", token.alg.as_deref());
        if !token.aud.is_empty() {
            pairs.tell("aud", &token.aud.join(","));
        }
        if let Some(exp) = token.exp {
            pairs.tell_number("exp", exp.since(UnixTime::from_secs(0)).as_secs(), "");
            if exp <= self.now {
                pairs.tell_number("expired_for", self.now.since(exp).as_secs(), "s");
            } else {
                pairs.tell_number("expires_in", exp.since(self.now).as_secs(), "s");
            }
        }
        pairs.tell_if("jti", token.jti.as_deref());
    }
}

impl Subjects {
    fn written(self, subject: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Hash => {
                let digest = Sha256::digest(subject);
                Some(format!("sha256:{}", hex::encode(digest.get(..HASH).unwrap_or_default())).into())
            }
            Self::Plain => Some(subject.into()),
            Self::Hidden => None,
        }
    }
}
