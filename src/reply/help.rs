//! What would have been accepted: facts of the configuration that mend a denial, and nothing of the token.

use std::rc::Rc;

use crate::{
    authenticate::provider::{Issuer, Provider},
    claims::validity::{Audience, Types},
    jose::algorithm::Algorithm,
    policy::{Action, explain::Candidate},
    reason::Reason,
};

/// A reply stays short, however many rules there are.
const MOST: usize = 8;

/// What these rules accept that a token did not bring.
pub fn of_providers(reason: Reason, providers: &[&Rc<Provider>]) -> Vec<String> {
    let accepted = |provider: &&Rc<Provider>| {
        let expectations = &provider.expectations;
        let what = match reason {
            Reason::TokenMissing | Reason::IssuerUnknown => String::new(),
            Reason::AlgNotAllowed => listed("alg", provider.algorithms.iter().copied().map(Algorithm::name)),
            Reason::AudienceNotAllowed => listed("aud", expectations.audiences.iter().map(Audience::as_str)),
            Reason::TypeNotAllowed => match &expectations.types {
                Types::Listed(types) => listed("typ", types.iter().map(String::as_str)),
                Types::Bearer => " with any typ of a bearer token".to_owned(),
            },
            _ => return None,
        };
        Some(match &provider.issuer {
            Issuer::Named(issuer) => format!("tokens of `{issuer}` are accepted{what}"),
            Issuer::AnyBut(_) => format!("tokens of other issuers are accepted{what}"),
        })
    };
    providers.iter().filter_map(accepted).take(MOST).collect()
}

/// What each rule lacked that might have allowed the request.
pub fn of_policies(candidates: &[Candidate]) -> Vec<String> {
    candidates
        .iter()
        .filter(|candidate| candidate.action == Action::Allow)
        .take(MOST)
        .map(Candidate::to_string)
        .collect()
}

fn listed<'a>(claim: &str, values: impl Iterator<Item = &'a str>) -> String {
    let values: Vec<&str> = values.collect();
    if values.is_empty() { String::new() } else { format!(" with {claim} `{}`", values.join("`, `")) }
}
