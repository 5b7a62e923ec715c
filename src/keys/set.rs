//! A JWK Set (RFC 7517 section 5) and which of its keys may prove a token.

use std::{fmt, rc::Rc};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    jwk::{Key, LONGEST_MEMBER, Skip},
    members::members,
};
use crate::{
    encoding::{hex, printable::printable},
    jose::algorithm::Algorithm,
};

/// How many members a fetched set may have.
pub const MAX_FETCHED_KEYS: usize = 256;
/// How many keys one token may try. An issuer that names its keys needs one; a set without `kid` in rotation a few.
pub(super) const MAX_ATTEMPTS: usize = 16;

/// The usable keys of one provider; by default none, so that nothing is proven.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// The names of keys that can't be used: asking again would not make them usable.
    skipped: Vec<String>,
    /// Of all members, in whatever order.
    digest: [u8; 32],
}

/// A key of a set that can't be used: its place, its name and the reason. Its neighbours are none the worse.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Index in the set's `keys`.
    pub index: usize,
    /// The key's `kid`, if it has one.
    pub kid: Option<String>,
    /// Why it was skipped.
    pub reason: Skip,
}

/// Why a whole key set is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UnusableKeySet {
    NotJson,
    /// A fetched set of more than [`MAX_FETCHED_KEYS`] members.
    TooManyKeys,
    /// No `keys` member that is a list.
    NoKeys,
    /// Not one key in it can be used.
    NoUsableKey,
}

impl fmt::Display for UnusableKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "it is not JSON",
            Self::TooManyKeys => "it has too many keys",
            Self::NoKeys => "it has no list `keys`",
            Self::NoUsableKey => "it has no key that can be used",
        })
    }
}

impl KeySet {
    /// Reads a JWK Set (RFC 7517 section 5) key by key, for rules that allow these algorithms.
    pub fn parse(text: &[u8], allowed: &[Algorithm]) -> (Result<Self, UnusableKeySet>, Vec<Skipped>) {
        Self::parse_bounded(text, allowed, usize::MAX)
    }

    /// The same for a set that somebody else wrote: only so many members are looked at.
    pub fn parse_fetched(text: &[u8], allowed: &[Algorithm]) -> (Result<Self, UnusableKeySet>, Vec<Skipped>) {
        Self::parse_bounded(text, allowed, MAX_FETCHED_KEYS)
    }

    fn parse_bounded(text: &[u8], allowed: &[Algorithm], most: usize) -> (Result<Self, UnusableKeySet>, Vec<Skipped>) {
        let members = match members(text, most) {
            Ok(members) => members,
            Err(reason) => return (Err(reason), Vec::new()),
        };
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        let mut unnamed = Unnamed::default();
        let mut digests: Vec<[u8; 32]> = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let digest = Sha256::digest(member.to_string()).into();
            digests.insert(digests.partition_point(|other| *other < digest), digest);
            match Key::parse(member, allowed).and_then(|key| unnamed.admit(key, allowed)) {
                Ok(key) => keys.push(Rc::new(key)),
                Err(reason) => {
                    let kid = member.get("kid").and_then(Value::as_str).map(str::to_owned);
                    skipped.push(Skipped { index, kid, reason });
                }
            }
        }
        if keys.is_empty() {
            return (Err(UnusableKeySet::NoUsableKey), skipped);
        }
        let digest = Sha256::digest(digests.concat()).into();
        let named = skipped.iter().filter_map(|skipped: &Skipped| skipped.kid.clone()).collect();
        (Ok(Self { keys, skipped: named, digest }), skipped)
    }

    /// What tells this set from others: the same members in another order or spelling are the same.
    pub fn digest(&self) -> String {
        hex::encode(&self.digest)
    }

    /// The keys that may have signed a token with this `kid` and `alg`: the ones of that name, then the unnamed.
    ///
    /// A token without `kid` may be tried with every key of its `alg` (RFC 7515 section 4.1.4).
    pub fn candidates<'a>(&'a self, kid: Option<&'a str>, algorithm: Algorithm) -> impl Iterator<Item = &'a Rc<Key>> {
        let of_name = self.keys.iter().filter(move |key| kid.is_none() || key.kid() == kid);
        let unnamed = self.keys.iter().filter(move |key| kid.is_some() && key.kid().is_none());
        of_name.chain(unnamed).filter(move |key| key.permits(algorithm)).take(MAX_ATTEMPTS)
    }

    /// Whether a key of this name is in the set, usable or not.
    pub fn names(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid)) || self.skipped.iter().any(|skipped| skipped == kid)
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes the place of an older set: keys that are in both stay what they were.
    pub fn reusing(self, old: Option<&Self>) -> Self {
        let old = old.map_or(&[][..], |old| &old.keys);
        let kept = |key: Rc<Key>| old.iter().find(|other| other.is_same_as(&key)).map_or(key, Rc::clone);
        Self { keys: self.keys.into_iter().map(kept).collect(), ..self }
    }

    /// The keys that are not in another set.
    pub fn keys_not_in(&self, other: Option<&Self>) -> Vec<Rc<Key>> {
        let others = other.map_or(&[][..], |other| &other.keys);
        let is_gone = |key: &&Rc<Key>| !others.iter().any(|other| Rc::ptr_eq(key, other));
        self.keys.iter().filter(is_gone).map(Rc::clone).collect()
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "the key `{}`", printable(kid, LONGEST_MEMBER))?,
            None => f.write_str("the key without a name")?,
        }
        write!(f, " at index {} is skipped: {}", self.index, self.reason)
    }
}

/// How many unnamed keys there are of each algorithm.
#[derive(Default)]
struct Unnamed(Vec<(Algorithm, usize)>);

impl Unnamed {
    /// Lets a key in that a token may be tried with.
    fn admit(&mut self, key: Key, allowed: &[Algorithm]) -> Result<Key, Skip> {
        if key.kid().is_some() {
            return Ok(key);
        }
        let mut is_tried = false;
        for algorithm in allowed.iter().filter(|algorithm| key.permits(**algorithm)) {
            match self.0.iter_mut().find(|(known, _)| known == algorithm) {
                Some((_, count)) => {
                    is_tried |= *count < MAX_ATTEMPTS;
                    *count = count.saturating_add(1);
                }
                None => {
                    is_tried = true;
                    self.0.push((*algorithm, 1));
                }
            }
        }
        if is_tried { Ok(key) } else { Err(Skip::TooManyUnnamed) }
    }
}

impl Key {
    /// Whether key type, curve and the key's own `alg` all allow this algorithm.
    pub fn permits(&self, algorithm: Algorithm) -> bool {
        self.algorithm().is_none_or(|only| only == algorithm) && self.verifying_key().fits(algorithm)
    }
}
