//! From the tokens on a request to the identities they prove.
//!
//! Every token at every place that an applying rule names must be good: a bad one is refused even where a missing one
//! would pass.

pub mod location;
pub mod provider;
pub mod token_cache;

use std::rc::Rc;

use serde_json::Value;

use crate::{
    authenticate::{
        location::{Location, Place},
        provider::{Keys, Presence, Provider, ProviderIndex},
        token_cache::{Proof, TokenCache},
    },
    claims::Claims,
    crypto::Verify,
    jose::UntrustedToken,
    keys::{Key, KeySet},
    matching::path::Reading,
    oauth::remote_jwks::{Outlook, RemoteJwks},
    outbound::SourceIndex,
    proof::{Proven, prove},
    reason::{Reason, Registered},
    request::Request,
    time::UnixTime,
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

/// Why there is no identity, and of whose token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setback {
    /// Why.
    pub cause: Cause,
    /// The rule that found the token bad, or whose keys are missing; none if no rule got to judge it.
    pub rule: Option<ProviderIndex>,
    /// Where the token is.
    pub place: Place,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// A token is bad.
    Denied(Reason),
    /// The keys that may prove a token are on their way.
    Wait(SourceIndex),
    /// The keys that may prove a token can't be had now.
    Unavailable(SourceIndex),
}

/// Why, and by which rule.
type Unproven = (Cause, Option<ProviderIndex>);

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self::Denied(reason)
    }
}

/// The rules that apply to a request.
///
/// # Errors
/// [`Reason::PathAmbiguous`] if that depends on how the path is read.
pub fn applying<'g>(
    providers: &'g [Provider],
    request: &Request,
    readings: &[Reading<'_>],
) -> Result<Vec<&'g Provider>, Reason> {
    let mut readings = readings.iter().map(|reading| -> Vec<&'g Provider> {
        let applies = |provider: &&Provider| {
            let operations = &provider.applies_to;
            operations.is_empty() || operations.iter().any(|operation| operation.matches(request, reading))
        };
        providers.iter().filter(applies).collect()
    });
    let first = readings.next().unwrap_or_default();
    let agrees = |other: Vec<&Provider>| other.iter().map(|p| p.index).eq(first.iter().map(|p| p.index));
    if readings.all(agrees) { Ok(first) } else { Err(Reason::PathAmbiguous) }
}

/// What authentication works with besides the request.
#[derive(Debug)]
pub struct Authenticator<'g, V> {
    /// The rules that apply.
    pub providers: &'g [&'g Provider],
    /// Tokens proven before.
    pub seen: &'g mut TokenCache,
    /// The keys of remote sources.
    pub remote_jwks: &'g mut [RemoteJwks],
    /// How signatures are checked.
    pub backend: &'g V,
    /// The longest token looked at, in bytes.
    pub max_token_bytes: usize,
    /// The time of the request.
    pub now: UnixTime,
}

impl<'g, V: Verify> Authenticator<'g, V> {
    /// Proves every token of the request; what it finds is in the order of the rules, then of their places.
    pub fn identities(&mut self, request: &Request) -> Result<Vec<Identity<'g>>, Setback> {
        let mut identities = Vec::new();
        for (location, providers) in self.places() {
            for (occurrence, token) in location.tokens(request).into_iter().enumerate() {
                let proofs = self.prove(&token, &providers).map_err(|(cause, rule)| {
                    let place = Place { location: location.clone(), occurrence };
                    Setback { cause, rule, place }
                })?;
                for (provider, claims) in proofs {
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
    ///
    /// While the keys of one rule are on their way, nothing is settled. If they can't be had, what other rules prove of
    /// the token is enough, unless a token for that rule is required.
    fn prove(&mut self, token: &[u8], providers: &[&'g Provider]) -> Result<Vec<(&'g Provider, Rc<Claims>)>, Unproven> {
        let unjudged = |reason: Reason| (Cause::Denied(reason), None);
        if token.len() > self.max_token_bytes {
            return Err(unjudged(Reason::TokenTooLarge));
        }
        if let Some(proof) = self.recall(token, providers) {
            return Ok(vec![proof]);
        }
        let untrusted = UntrustedToken::parse(token).map_err(unjudged)?;
        let issuer = match untrusted.claimed_issuer() {
            None => None,
            Some(Value::String(issuer)) => Some(issuer.clone()),
            Some(_) => return Err(unjudged(Reason::ClaimMalformed(Registered::Iss))),
        };
        let (mut untrusted, mut proofs) = (Some(untrusted), Vec::new());
        let (mut worst, mut unavailable) = ((Reason::IssuerUnknown, None), None);
        for provider in providers.iter().filter(|provider| provider.issuer.admits(issuer.as_deref())) {
            match self.try_provider(provider, untrusted.take(), token) {
                Ok(claims) => proofs.push((*provider, claims)),
                Err(Cause::Denied(reason)) if reason <= worst.0 => (),
                Err(Cause::Denied(reason)) => worst = (reason, Some(provider.index)),
                Err(cause @ Cause::Unavailable(_)) if provider.presence == Presence::Optional => {
                    unavailable = Some((cause, Some(provider.index)));
                }
                Err(cause) => return Err((cause, Some(provider.index))),
            }
        }
        match unavailable {
            _ if !proofs.is_empty() => Ok(proofs),
            Some(unavailable) => Err(unavailable),
            None => Err((Cause::Denied(worst.0), worst.1)),
        }
    }

    /// The usual case, without any parsing: the token is known, and only one rule is for its issuer.
    fn recall(&mut self, token: &[u8], providers: &[&'g Provider]) -> Option<(&'g Provider, Rc<Claims>)> {
        let known = |provider: &&'g Provider| Some((*provider, self.remembered(provider, token)?));
        let (provider, claims) = providers.iter().find_map(known)?;
        let is_other = |other: &&&Provider| other.index != provider.index && other.issuer.admits(claims.issuer());
        if providers.iter().any(|other| is_other(&other)) {
            return None;
        }
        provider.expectations.check(&claims, self.now).ok()?;
        self.seen.stats.hits += 1;
        Some((provider, claims))
    }

    fn try_provider(
        &mut self,
        provider: &Provider,
        parsed: Option<UntrustedToken<'_>>,
        token: &[u8],
    ) -> Result<Rc<Claims>, Cause> {
        if let Some(claims) = self.remembered(provider, token) {
            provider.expectations.check(&claims, self.now)?;
            self.seen.stats.hits += 1;
            return Ok(claims);
        }
        let untrusted = parsed.map_or_else(|| UntrustedToken::parse(token), Ok)?;
        if !provider.algorithms.contains(&untrusted.header().alg) {
            return Err(Reason::AlgNotAllowed.into());
        }
        let (proven, key) = match &provider.keys {
            Keys::Inline(set) => prove_by(set, untrusted, self.backend)?,
            Keys::Remote(source) => self.prove_remotely(*source, untrusted)?,
        };
        let claims = Rc::new(Claims::read(proven)?);
        provider.expectations.check(&claims, self.now)?;
        self.seen.remember(provider.index, token, Proof { claims: Rc::clone(&claims), key });
        self.seen.stats.misses += 1;
        Ok(claims)
    }

    /// A token whose key is not in the set may be newer than the set. A bad signature by a key that is says nothing of
    /// the kind.
    fn prove_remotely<'t>(
        &mut self,
        source: SourceIndex,
        untrusted: UntrustedToken<'t>,
    ) -> Result<(Proven<'t>, Rc<Key>), Cause> {
        let Some(remote) = self.remote_jwks.get_mut(source.0) else { return Err(Cause::Unavailable(source)) };
        let kid = untrusted.header().kid.clone();
        let reason = match remote.current(self.now) {
            None => Reason::KeyUnknown,
            Some(set) => match prove_by(set, untrusted, self.backend) {
                Err(reason) if kid.is_some_and(|kid| !set.names(&kid)) => reason,
                settled => return Ok(settled?),
            },
        };
        Err(match remote.ask_for_newer(self.now) {
            Outlook::Wait => Cause::Wait(source),
            Outlook::Unavailable => Cause::Unavailable(source),
            Outlook::Settled => Cause::Denied(reason),
        })
    }

    /// What a token proved before, if the key that did is still there.
    fn remembered(&self, provider: &Provider, token: &[u8]) -> Option<Rc<Claims>> {
        if let Keys::Remote(source) = provider.keys {
            self.remote_jwks.get(source.0)?.current(self.now)?;
        }
        self.seen.recall(provider.index, token).map(|proof| proof.claims)
    }
}

/// Lets a request on that brings a token for every rule that requires one.
///
/// # Errors
/// The first rule whose token is missing.
pub fn presence(applying: &[&Provider], identities: &[Identity<'_>]) -> Result<(), ProviderIndex> {
    let is_missing = |provider: &&&Provider| {
        provider.presence == Presence::Required
            && identities.iter().all(|identity| identity.provider.index != provider.index)
    };
    applying.iter().find(is_missing).map_or(Ok(()), |provider| Err(provider.index))
}

fn prove_by<'t>(
    set: &KeySet,
    untrusted: UntrustedToken<'t>,
    backend: &dyn Verify,
) -> Result<(Proven<'t>, Rc<Key>), Reason> {
    let (kid, alg) = (untrusted.header().kid.clone(), untrusted.header().alg);
    prove(untrusted, set.candidates(kid.as_deref(), alg), backend)
}
