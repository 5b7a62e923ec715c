//! A provider's keys (RFC 7517) and which of them may prove a token.

mod jwk;

use serde_json::Value;

use crate::signature::Algorithm;
pub use jwk::{Key, Skip, is_private};

/// How many keys one token may try. An issuer that names its keys needs one; a set without `kid` in rotation a few.
const MAX_ATTEMPTS: usize = 16;

/// The usable keys of one provider; by default none, so that nothing is proven.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<Key>,
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
                Ok(key) => keys.push(key),
                Err(reason) => {
                    let kid = member.get("kid").and_then(Value::as_str).map(str::to_owned);
                    skipped.push(Skipped { index, kid, reason });
                }
            }
        }
        (if keys.is_empty() { Err(UnusableKeySet::NoUsableKey) } else { Ok(Self { keys }) }, skipped)
    }

    /// The keys that may have signed a token with this `kid` and `alg`: the ones of that name, then the unnamed.
    ///
    /// A token without `kid` may be tried with every key of its `alg` (RFC 7515 section 4.1.4).
    pub fn candidates<'a>(&'a self, kid: Option<&'a str>, algorithm: Algorithm) -> impl Iterator<Item = &'a Key> {
        let of_name = self.keys.iter().filter(move |key| kid.is_none() || key.kid() == kid);
        let unnamed = self.keys.iter().filter(move |key| kid.is_some() && key.kid().is_none());
        of_name.chain(unnamed).filter(move |key| key.permits(algorithm)).take(MAX_ATTEMPTS)
    }
}

impl Key {
    /// Whether key type, curve and the key's own `alg` all allow this algorithm.
    pub fn permits(&self, algorithm: Algorithm) -> bool {
        self.algorithm().is_none_or(|only| only == algorithm) && self.verifying_key().fits(algorithm)
    }
}
