//! From the tokens on a request to the identities they prove.
//!
//! Every token at every place that an applying rule names must be good: a bad one is denied even where a missing one
//! would pass. In style `istio` one good token is enough, as in what istiod makes of several rules.

pub mod provider;
pub mod token_cache;

use std::rc::Rc;

use serde_json::Value;

use crate::{
    claims::Claims,
    crypto::Verify,
    jose::UntrustedToken,
    keys::{Key, KeySet},
    location::{Location, Place},
    matching::path,
    oauth::remote_jwks::RemoteJwks,
    outbound::SourceIndex,
    proof,
    reason::{Reason, Registered},
    request::Request,
    stop::Stop,
    time::UnixTime,
};
use provider::{Keys, Presence, Provider};
use token_cache::{Proof, TokenCache};

/// Whom a proven, valid token speaks for.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The rule that vouches for it.
    pub provider: Rc<Provider>,
    /// Where its token was.
    pub location: Rc<Location>,
    /// What the token says.
    pub claims: Rc<Claims>,
}

/// How many of the tokens on a request must be good.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Requirement {
    /// Every one, wherever it is.
    #[default]
    All,
    /// All of one rule (Envoy's `requires_any`); the rules are tried in the order of their issuers, as istiod sorts them.
    Any,
}

/// The rules that apply to a request.
///
/// # Errors
/// [`Reason::PathAmbiguous`] if that depends on how the path is read.
pub fn applying<'g>(providers: &'g [Rc<Provider>], request: &Request) -> Result<Vec<&'g Rc<Provider>>, Stop> {
    if providers.iter().all(|provider| provider.applies_to.is_empty()) {
        return Ok(providers.iter().collect());
    }
    let readings = path::readings(request.target());
    let mut readings = readings.iter().map(|reading| -> Vec<&'g Rc<Provider>> {
        let applies = |provider: &&Rc<Provider>| {
            let matches = &provider.applies_to;
            matches.is_empty() || matches.iter().any(|one| one.matches(request, reading))
        };
        providers.iter().filter(applies).collect()
    });
    let first = readings.next().unwrap_or_default();
    let agrees = |other: Vec<&Rc<Provider>>| other.iter().map(|p| p.index).eq(first.iter().map(|p| p.index));
    if readings.all(agrees) { Ok(first) } else { Err(Reason::PathAmbiguous.into()) }
}

/// The places with tokens that nothing vouches for and that are not to be forwarded as they are.
pub fn unjudged<'g>(providers: &[&'g Rc<Provider>], identities: &[Identity], request: &Request) -> Vec<&'g Location> {
    let consumed = providers.iter().filter(|provider| !provider.forward_original_token);
    let locations = consumed.flat_map(|provider| &provider.locations);
    let is_unjudged = |location: &&Rc<Location>| {
        identities.iter().all(|identity| identity.location != **location) && !location.tokens(request).is_empty()
    };
    locations.filter(is_unjudged).map(Rc::as_ref).collect()
}

/// What authentication works with besides the request.
#[derive(Debug)]
pub struct Authenticator<'g> {
    /// The rules that apply.
    pub providers: &'g [&'g Rc<Provider>],
    /// How many tokens must be good.
    pub requirement: Requirement,
    /// Tokens proven before.
    pub token_cache: &'g mut TokenCache,
    /// The keys of remote sources.
    pub remote_jwks: &'g mut [RemoteJwks],
    /// How signatures are checked.
    pub backend: &'g dyn Verify,
    /// The longest token looked at, in bytes.
    pub max_token_bytes: usize,
    /// The time of the request.
    pub now: UnixTime,
}

impl<'g> Authenticator<'g> {
    /// Who sends the request. The first identity is the one that policies ask about.
    ///
    /// # Errors
    /// A token that is bad or can't be judged now.
    pub fn identities(&mut self, request: &Request) -> Result<Vec<Identity>, Stop> {
        match self.requirement {
            Requirement::All => self.all(request),
            Requirement::Any => self.any(request),
        }
    }

    /// Proves every token; what it finds is in the order of the rules, then of their places.
    fn all(&mut self, request: &Request) -> Result<Vec<Identity>, Stop> {
        let mut identities: Vec<Identity> = Vec::new();
        for (location, providers) in self.places() {
            for (occurrence, token) in location.tokens(request).into_iter().enumerate() {
                let place = || Place { location: Rc::clone(location), occurrence };
                for (provider, claims) in self.prove(&token, &providers).map_err(|stop| stop.of(place()))? {
                    let after = identities.partition_point(|other| other.provider.index.0 <= provider.index.0);
                    identities.insert(after, Identity { provider, location: Rc::clone(location), claims });
                }
            }
        }
        Ok(identities)
    }

    /// The identity of the first rule, by issuer, that finds tokens and finds all of them good, and those of the rules whose
    /// tokens are required.
    fn any(&mut self, request: &Request) -> Result<Vec<Identity>, Stop> {
        let mut providers: Vec<&Rc<Provider>> = Vec::new();
        for provider in self.providers {
            let after = providers.partition_point(|other| other.issuer.name() <= provider.issuer.name());
            providers.insert(after, provider);
        }
        let (mut identities, mut worst): (Vec<Identity>, Option<Stop>) = (Vec::new(), None);
        for provider in providers {
            if !identities.is_empty() && provider.presence == Presence::Optional {
                continue;
            }
            match self.of_rule(provider, request) {
                Ok(identity) => identities.extend(identity),
                Err(stop) => worst = Some(worst.filter(|worst| is_rather_told(worst, &stop)).unwrap_or(stop)),
            }
        }
        match worst {
            Some(stop) if identities.is_empty() => Err(stop),
            _ => Ok(identities),
        }
    }

    /// What the tokens of one rule prove, all of which must be good; nothing if there are none.
    fn of_rule(&mut self, provider: &Rc<Provider>, request: &Request) -> Result<Option<Identity>, Stop> {
        let mut identity = None;
        for location in &provider.locations {
            for (occurrence, token) in location.tokens(request).into_iter().enumerate() {
                let place = || Place { location: Rc::clone(location), occurrence };
                for (provider, claims) in self.prove(&token, &[provider]).map_err(|stop| stop.of(place()))? {
                    identity.get_or_insert(Identity { provider, location: Rc::clone(location), claims });
                }
            }
        }
        Ok(identity)
    }

    /// Every place once, with the rules that look there.
    fn places(&self) -> Vec<(&'g Rc<Location>, Vec<&'g Rc<Provider>>)> {
        let mut places: Vec<(&Rc<Location>, Vec<&Rc<Provider>>)> = Vec::new();
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
    /// While the keys of one rule are on their way, nothing is settled. If they are not available, what other rules prove of
    /// the token is enough, unless a token for that rule is required.
    fn prove(&mut self, token: &[u8], providers: &[&Rc<Provider>]) -> Result<Vec<Proven>, Stop> {
        if token.len() > self.max_token_bytes {
            return Err(Reason::TokenTooLarge.into());
        }
        if let Some(proven) = self.cached(token, providers) {
            return Ok(vec![proven]);
        }
        let untrusted = UntrustedToken::parse(token)?;
        let issuer = match untrusted.claimed_issuer() {
            None => None,
            Some(Value::String(issuer)) => Some(issuer.clone()),
            Some(_) => return Err(Reason::ClaimMalformed(Registered::Iss).into()),
        };
        let (mut untrusted, mut proven, mut unavailable) = (Some(untrusted), Vec::new(), None);
        let mut worst = Stop::from(Reason::IssuerUnknown);
        for provider in providers.iter().filter(|provider| provider.issuer.admits(issuer.as_deref())) {
            let stop = match self.by_rule(provider, untrusted.take(), token) {
                Ok(claims) => {
                    proven.push((Rc::clone(provider), claims));
                    continue;
                }
                Err(stop) => stop.by(&provider.name),
            };
            match stop {
                Stop::Deny(_) if worst.outranks(&stop) => (),
                Stop::Deny(_) => worst = stop,
                Stop::Unavailable(_) if provider.presence == Presence::Optional => unavailable = Some(stop),
                Stop::Unavailable(_) | Stop::Wait(..) => return Err(stop),
            }
        }
        if proven.is_empty() { Err(unavailable.unwrap_or(worst)) } else { Ok(proven) }
    }

    /// The usual case, without any parsing: the token is known, and only one rule is for its issuer.
    fn cached(&mut self, token: &[u8], providers: &[&Rc<Provider>]) -> Option<Proven> {
        let known = |provider: &&Rc<Provider>| Some((Rc::clone(provider), self.known(provider, token)?));
        let (provider, claims) = providers.iter().find_map(known)?;
        let is_other = |other: &&&Rc<Provider>| other.index != provider.index && other.issuer.admits(claims.issuer());
        if providers.iter().any(|other| is_other(&other)) {
            return None;
        }
        provider.expectations.check(&claims, self.now).ok()?;
        self.token_cache.stats.hits += 1;
        Some((provider, claims))
    }

    fn by_rule(
        &mut self,
        provider: &Provider,
        parsed: Option<UntrustedToken<'_>>,
        token: &[u8],
    ) -> Result<Rc<Claims>, Stop> {
        if let Some(claims) = self.known(provider, token) {
            provider.expectations.check(&claims, self.now)?;
            self.token_cache.stats.hits += 1;
            return Ok(claims);
        }
        let untrusted = parsed.map_or_else(|| UntrustedToken::parse(token), Ok)?;
        if !provider.algorithms.contains(&untrusted.header().alg) {
            return Err(Reason::AlgNotAllowed.into());
        }
        let (proof, key) = match &provider.keys {
            Keys::Inline(set) => prove_by(set, untrusted, self.backend)?,
            Keys::Remote(source) => self.prove_remotely(*source, untrusted)?,
        };
        let claims = Rc::new(Claims::read(proof)?);
        provider.expectations.check(&claims, self.now)?;
        self.token_cache.insert(provider.index, token, Proof { claims: Rc::clone(&claims), key });
        self.token_cache.stats.misses += 1;
        Ok(claims)
    }

    /// A token whose key is not in the set may be newer than the set. A bad signature by a key that is says nothing of the
    /// kind.
    fn prove_remotely<'t>(
        &mut self,
        source: SourceIndex,
        untrusted: UntrustedToken<'t>,
    ) -> Result<(proof::Proven<'t>, Rc<Key>), Stop> {
        let Some(remote) = self.remote_jwks.get_mut(source.0) else { return Err(Reason::KeysUnavailable.into()) };
        let kid = untrusted.header().kid.clone();
        let reason = match remote.current(self.now) {
            None => Reason::KeyUnknown,
            Some(set) => match prove_by(set, untrusted, self.backend) {
                Err(reason) if kid.is_some_and(|kid| !set.names(&kid)) => reason,
                settled => return Ok(settled?),
            },
        };
        remote.ask_for_newer(source, self.now)?;
        Err(reason.into())
    }

    /// What a token proved before, if the key that did is still there.
    fn known(&self, provider: &Provider, token: &[u8]) -> Option<Rc<Claims>> {
        if let Keys::Remote(source) = provider.keys {
            self.remote_jwks.get(source.0)?.current(self.now)?;
        }
        self.token_cache.get(provider.index, token).map(|proof| proof.claims)
    }
}

/// A rule that a token is good for, and what the token says.
type Proven = (Rc<Provider>, Rc<Claims>);

/// Which of two rules' findings is told, as by Envoy: what may still settle before what does not, and the first one, unless it
/// is that the issuer is unknown.
fn is_rather_told(first: &Stop, later: &Stop) -> bool {
    match (first, later) {
        (Stop::Deny(first), Stop::Deny(_)) => first.reason != Reason::IssuerUnknown,
        (first, later) => first.outranks(later),
    }
}

/// Whether there is a token for every rule that requires one.
///
/// # Errors
/// The first rule whose token is missing.
pub fn presence(applying: &[&Rc<Provider>], identities: &[Identity]) -> Result<(), Stop> {
    let is_missing = |provider: &&&Rc<Provider>| {
        provider.presence == Presence::Required
            && identities.iter().all(|identity| identity.provider.index != provider.index)
    };
    let missing = applying.iter().find(is_missing);
    missing.map_or(Ok(()), |provider| Err(Stop::from(Reason::TokenMissing).by(&provider.name)))
}

fn prove_by<'t>(
    set: &KeySet,
    untrusted: UntrustedToken<'t>,
    backend: &dyn Verify,
) -> Result<(proof::Proven<'t>, Rc<Key>), Reason> {
    let (kid, alg) = (untrusted.header().kid.clone(), untrusted.header().alg);
    proof::prove(untrusted, set.candidates(kid.as_deref(), alg), backend)
}
