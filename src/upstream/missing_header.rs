//! Why a header that a rule writes is not on a request.

use std::{fmt, rc::Rc};

use super::output::{Output, outputs};
use crate::{
    authenticate::{Identity, provider::Provider},
    claims::claim_header::Unwritable,
    request::HeaderName,
};

/// A header that is not written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingHeader {
    /// The token rule that would write it, by name.
    pub provider: Rc<str>,
    pub header: HeaderName,
    /// Why it is not written.
    pub cause: Cause,
}

/// Why a header is not written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// No token on the request is good for the rule.
    NoToken,
    /// The token does not have this claim, or it is null or empty.
    NoClaim(String),
    /// No header can carry the value of this claim.
    Unwritable(String),
}

impl MissingHeader {
    /// Why this output is missing, if it is.
    pub(super) fn of(output: &Output<'_>) -> Option<Self> {
        let claim = output.claim.map(ToString::to_string).unwrap_or_default();
        let cause = match &output.value {
            Ok(Some(_)) => return None,
            Ok(None) => Cause::NoClaim(claim),
            Err(Unwritable) => Cause::Unwritable(claim),
        };
        Some(Self::new(output.provider, output.header, cause))
    }

    fn new(provider: &Provider, header: &HeaderName, cause: Cause) -> Self {
        Self { provider: Rc::clone(&provider.name), header: header.clone(), cause }
    }
}

/// Every header that these identities leave unwritten, in the order of the rules. A header of two rules is the first token's.
pub fn missing_headers(providers: &[Rc<Provider>], identities: &[Identity]) -> Vec<MissingHeader> {
    let mut missing: Vec<MissingHeader> = Vec::new();
    let mut settled: Vec<&HeaderName> = Vec::new();
    for output in outputs(identities) {
        settled.push(output.header);
        missing.extend(MissingHeader::of(&output));
    }
    for provider in providers {
        for header in provider.outputs() {
            if !settled.contains(&header) {
                settled.push(header);
                missing.push(MissingHeader::new(provider, header, Cause::NoToken));
            }
        }
    }
    missing
}

impl fmt::Display for MissingHeader {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {}: ", self.header)?;
        match &self.cause {
            Cause::NoToken => write!(f, "no token is good for the rule {}", self.provider),
            Cause::NoClaim(claim) => write!(f, "the token has no claim {claim}, or an empty one"),
            Cause::Unwritable(claim) => write!(f, "no header can carry the claim {claim} in this format"),
        }
    }
}
