//! A JWK Set (RFC 7517 section 5) and which of its keys may prove a token.

use std::{fmt, rc::Rc};

use serde_json::Value;

use super::jwk::{Key, Skip};
use crate::jose::algorithm::Algorithm;

/// How many keys one token may try. An issuer that names its keys needs one; a set without `kid` in rotation a few.
const MAX_ATTEMPTS: usize = 16;

/// The usable keys of one provider; by default none, so that nothing is proven.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// The names of keys that can't be used: asking again would not make them usable.
    skipped: Vec<String>,
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
    /// Not JSON.
    NotJson,
    /// No `keys` member that is a list.
    NoKeys,
    /// Not one key in it can be used.
    NoUsableKey,
}

impl fmt::Display for UnusableKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "it is not JSON",
            Self::NoKeys => "it has no list `keys`",
            Self::NoUsableKey => "it has no key that can be used",
        })
    }
}

impl KeySet {
    /// Reads a JWK Set (RFC 7517 section 5) key by key, for rules that allow these algorithms.
    pub fn parse(text: &[u8], allowed: &[Algorithm]) -> (Result<Self, UnusableKeySet>, Vec<Skipped>) {
        let Ok(set) = serde_json::from_slice::<Value>(text) else {
            return (Err(UnusableKeySet::NotJson), Vec::new());
        };
        let Some(Value::Array(members)) = set.get("keys") else {
            return (Err(UnusableKeySet::NoKeys), Vec::new());
        };
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, member) in members.iter().enumerate() {
            match Key::parse(member, allowed) {
                Ok(key) => keys.push(Rc::new(key)),
                Err(reason) => {
                    let kid = member.get("kid").and_then(Value::as_str).map(str::to_owned);
                    skipped.push(Skipped { index, kid, reason });
                }
            }
        }
        let named = skipped.iter().filter_map(|skipped: &Skipped| skipped.kid.clone()).collect();
        let set = if keys.is_empty() { Err(UnusableKeySet::NoUsableKey) } else { Ok(Self { keys, skipped: named }) };
        (set, skipped)
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

    /// Takes the place of an older set: keys that are in both stay what they were. Beside it the keys that are gone.
    pub fn instead_of(self, old: Option<&Self>) -> (Self, Vec<Rc<Key>>) {
        let old = old.map_or(&[][..], |old| &old.keys);
        let kept = |key: Rc<Key>| old.iter().find(|other| other.is_same_as(&key)).map_or(key, Rc::clone);
        let keys: Vec<Rc<Key>> = self.keys.into_iter().map(kept).collect();
        let is_gone = |key: &&Rc<Key>| !keys.iter().any(|other| Rc::ptr_eq(key, other));
        let gone = old.iter().filter(is_gone).map(Rc::clone).collect();
        (Self { keys, ..self }, gone)
    }
}

impl Key {
    /// Whether key type, curve and the key's own `alg` all allow this algorithm.
    pub fn permits(&self, algorithm: Algorithm) -> bool {
        self.algorithm().is_none_or(|only| only == algorithm) && self.verifying_key().fits(algorithm)
    }
}
