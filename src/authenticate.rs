//! From the tokens on a request to the identities they prove.
//!
//! Every token at every place that an applying rule names must be good: a bad one is refused even where a missing one
//! would pass.

use std::rc::Rc;

use serde_json::Value;

use crate::{
    claims::Claims,
    decision::{Denial, Registered},
    operation::path::Reading,
    provider::Provider,
    request::Request,
    seen::Seen,
    signature::{Verify, prove},
    time::UnixTime,
    token::{UntrustedToken, locate::Location},
};

/// Who a proven, valid token speaks for.
#[derive(Debug)]
pub struct Identity<'g> {
    /// The rule that vouches for it.
    pub provider: &'g Provider,
    /// Where its token was.
    pub location: &'g Location,
    /// What the token says.
    pub claims: Rc<Claims>,
}

/// The rules that apply to a request.
///
/// # Errors
/// [`Denial::PathAmbiguous`] if that depends on how the path is read.
pub fn applying<'g>(
    providers: &'g [Provider],
    request: &Request,
    readings: &[Reading<'_>],
) -> Result<Vec<&'g Provider>, Denial> {
    let mut readings = readings.iter().map(|reading| -> Vec<&'g Provider> {
        let applies = |provider: &&Provider| {
            let operations = &provider.applies_to;
            operations.is_empty() || operations.iter().any(|operation| operation.matches(request, reading))
        };
        providers.iter().filter(applies).collect()
    });
    let first = readings.next().unwrap_or_default();
    let agrees = |other: Vec<&Provider>| other.iter().map(|p| p.index).eq(first.iter().map(|p| p.index));
    if readings.all(agrees) { Ok(first) } else { Err(Denial::PathAmbiguous) }
}

/// What authentication works with besides the request.
#[derive(Debug)]
pub struct Authenticator<'g, V> {
    /// The rules that apply.
    pub providers: &'g [&'g Provider],
    /// Tokens proven before.
    pub seen: &'g mut Seen,
    /// How signatures are checked.
    pub backend: &'g V,
    /// The longest token looked at, in bytes.
    pub max_token_bytes: usize,
    /// The time of the request.
    pub now: UnixTime,
}

impl<'g, V: Verify> Authenticator<'g, V> {
    /// Proves every token of the request; what it finds is in the order of the rules, then of their places.
    pub fn identities(&mut self, request: &Request) -> Result<Vec<Identity<'g>>, Denial> {
        let mut identities = Vec::new();
        for (location, providers) in self.places() {
            for token in location.tokens(request) {
                for (provider, claims) in self.prove(&token, &providers)? {
                    let after =
                        identities.partition_point(|other: &Identity<'_>| other.provider.index.0 <= provider.index.0);
                    identities.insert(after, Identity { provider, location, claims });
                }
            }
        }
        Ok(identities)
    }

    /// Every place once, with the rules that look there.
    fn places(&self) -> Vec<(&'g Location, Vec<&'g Provider>)> {
        let mut places: Vec<(&Location, Vec<&Provider>)> = Vec::new();
        for provider in self.providers {
            for location in &provider.locations {
                match places.iter_mut().find(|(place, _)| *place == location) {
                    Some((_, providers)) => providers.push(provider),
                    None => places.push((location, vec![provider])),
                }
            }
        }
        places
    }

    /// Every rule that the token is good for; at least one.
    fn prove(&mut self, token: &[u8], providers: &[&'g Provider]) -> Result<Vec<(&'g Provider, Rc<Claims>)>, Denial> {
        if token.len() > self.max_token_bytes {
            return Err(Denial::TokenTooLarge);
        }
        if let Some(proof) = self.recall(token, providers) {
            return Ok(vec![proof]);
        }
        let untrusted = UntrustedToken::parse(token)?;
        let issuer = match untrusted.claimed_issuer() {
            None => None,
            Some(Value::String(issuer)) => Some(issuer.clone()),
            Some(_) => return Err(Denial::ClaimMalformed(Registered::Iss)),
        };
        let (mut untrusted, mut proofs, mut denial) = (Some(untrusted), Vec::new(), Denial::IssuerUnknown);
        for provider in providers.iter().filter(|provider| provider.issuer.admits(issuer.as_deref())) {
            match self.try_provider(provider, untrusted.take(), token) {
                Ok(claims) => proofs.push((*provider, claims)),
                Err(reason) => denial = denial.max(reason),
            }
        }
        if proofs.is_empty() { Err(denial) } else { Ok(proofs) }
    }

    /// The usual case, without any parsing: the token is known, and only one rule is for its issuer.
    fn recall(&self, token: &[u8], providers: &[&'g Provider]) -> Option<(&'g Provider, Rc<Claims>)> {
        let known = |provider: &&'g Provider| Some((*provider, self.seen.recall(provider.index, token)?));
        let (provider, claims) = providers.iter().find_map(known)?;
        let is_other = |other: &&&Provider| other.index != provider.index && other.issuer.admits(claims.issuer());
        if providers.iter().any(|other| is_other(&other)) {
            return None;
        }
        provider.expectations.check(&claims, self.now).ok().map(|()| (provider, claims))
    }

    fn try_provider(
        &mut self,
        provider: &Provider,
        parsed: Option<UntrustedToken<'_>>,
        token: &[u8],
    ) -> Result<Rc<Claims>, Denial> {
        if let Some(claims) = self.seen.recall(provider.index, token) {
            return provider.expectations.check(&claims, self.now).map(|()| claims);
        }
        let untrusted = parsed.map_or_else(|| UntrustedToken::parse(token), Ok)?;
        if !provider.algorithms.contains(&untrusted.header().alg) {
            return Err(Denial::AlgNotAllowed);
        }
        let (kid, alg) = (untrusted.header().kid.clone(), untrusted.header().alg);
        let proven = prove(untrusted, provider.keys.candidates(kid.as_deref(), alg), self.backend)?;
        let claims = Rc::new(Claims::read(proven)?);
        provider.expectations.check(&claims, self.now)?;
        self.seen.remember(provider.index, token, Rc::clone(&claims));
        Ok(claims)
    }
}
