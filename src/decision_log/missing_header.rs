//! Why a header that a rule writes is not on a request that passes. Worked out only for whoever asks.

use std::{collections::HashSet, fmt};

use crate::{
    authenticate::{Identity, provider::Provider},
    claims::claim_header::Unwritable,
    upstream::reserved::confusable,
};

/// A header that is not written, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingHeader {
    /// The header, in lower case.
    pub header: String,
    /// Why.
    pub why: Why,
}

/// Why a header is not written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// No token on the request is good for this rule.
    NoToken(String),
    /// The token does not have this claim, or it is null or empty.
    NoClaim(String),
    /// No header can carry the claim's value.
    Unwritable(String),
}

/// Every header that these tokens leave unwritten, in the order of the rules. A header of two rules is the first token's.
pub fn missing_headers(providers: &[Provider], identities: &[Identity<'_>]) -> Vec<MissingHeader> {
    let mut told = HashSet::new();
    let mut missing_headers = Vec::new();
    for Identity { provider, claims, .. } in identities {
        told.extend(provider.output_payload.iter().map(|header| confusable(header)));
        for output in &provider.output_claims {
            if !told.insert(confusable(&output.header)) {
                continue;
            }
            let why = match output.render(claims) {
                Ok(Some(_)) => continue,
                Ok(None) => Why::NoClaim(output.claim.to_string()),
                Err(Unwritable) => Why::Unwritable(output.claim.to_string()),
            };
            missing_headers.push(MissingHeader { header: output.header.clone(), why });
        }
    }
    for provider in providers {
        let headers = provider.outputs().filter(|header| told.insert(confusable(header)));
        let why = || Why::NoToken(provider.name.clone());
        missing_headers.extend(headers.map(|header| MissingHeader { header: header.to_owned(), why: why() }));
    }
    missing_headers
}

impl fmt::Display for MissingHeader {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {}: ", self.header)?;
        match &self.why {
            Why::NoToken(rule) => write!(f, "no token is good for the rule {rule}"),
            Why::NoClaim(claim) => write!(f, "the token has no claim {claim}, or an empty one"),
            Why::Unwritable(claim) => write!(f, "no header can carry the claim {claim} in this format"),
        }
    }
}
