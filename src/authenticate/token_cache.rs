//! Tokens already proven, so that the usual request costs no signature.
//!
//! Keyed by the whole token and the rule whose key proved it; bounded in entries and bytes; what is looked up once is the
//! first to go (CLOCK-PRO), so a flood of tokens used once does not wash out the ones in use. It holds proofs, not
//! verdicts: time, audience and everything else is checked again on every use.

use std::{
    hash::{Hash, Hasher},
    rc::Rc,
};

use quick_cache::{Equivalent, Weighter, unsync::Cache};

use crate::{authenticate::provider::ProviderIndex, claims::Claims, keys::Key as JsonWebKey};

/// Memory for proven tokens of one worker, in bytes.
const MEMORY: u64 = 8 * 1024 * 1024;
/// What of it is for the tokens; the rest is for the cache's own tables.
const CAPACITY: u64 = MEMORY / 16 * 15;
/// The most tokens kept, however small.
const ENTRIES: u64 = 4096;

/// Proven tokens and what they proved.
#[derive(Debug)]
pub struct TokenCache<T = Proof> {
    proofs: Cache<Key, Weighed<T>, ByBytes>,
    /// How good tokens were proven since somebody last took it.
    pub stats: CacheStats,
}

/// How often the cache was of use.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CacheStats {
    /// Good tokens that were known.
    pub hits: usize,
    /// Good tokens that were not.
    pub misses: usize,
}

/// Something of a known size.
pub trait Size {
    /// The memory it takes, in bytes.
    fn size(&self) -> usize;
}

/// What a token says, and the key that proved it.
#[derive(Clone, Debug)]
pub struct Proof {
    pub claims: Rc<Claims>,
    pub key: Rc<JsonWebKey>,
}

impl Size for Proof {
    fn size(&self) -> usize {
        self.claims.size()
    }
}

impl<T: Clone> Default for TokenCache<T> {
    fn default() -> Self {
        let expected = usize::try_from(ENTRIES).unwrap_or(usize::MAX);
        Self { proofs: Cache::with_weighter(expected, CAPACITY, ByBytes), stats: CacheStats::default() }
    }
}

impl<T: Clone + Size> TokenCache<T> {
    /// What a token proved when a key of this provider was tried on it.
    pub fn get(&self, provider: ProviderIndex, token: &[u8]) -> Option<T> {
        self.proofs.get(&Sought { provider, token }).map(|weighed| weighed.value.clone())
    }

    /// Forgets every proof of this kind.
    pub fn remove_if(&mut self, is_void: impl Fn(&T) -> bool) {
        self.proofs.retain(|_, weighed| !is_void(&weighed.value));
    }

    /// Keeps what a token proved until it is crowded out.
    pub fn insert(&mut self, provider: ProviderIndex, token: &[u8], proof: T) {
        let size = token.len().saturating_add(proof.size()).saturating_add(ENTRY);
        let bytes = u64::try_from(size).unwrap_or(u64::MAX).max(CAPACITY / ENTRIES);
        self.proofs.insert(Key { provider, token: token.into() }, Weighed { value: proof, bytes });
    }
}

#[derive(Debug, Eq, PartialEq)]
struct Key {
    provider: ProviderIndex,
    token: Box<[u8]>,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Sought { provider: self.provider, token: &self.token }.hash(state);
    }
}

#[derive(Hash)]
struct Sought<'a> {
    provider: ProviderIndex,
    token: &'a [u8],
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.provider == key.provider && *self.token == *key.token
    }
}

/// What an entry takes beside its token and what that proved.
const ENTRY: usize = 256;

#[derive(Debug)]
struct Weighed<T> {
    value: T,
    /// Of the whole entry.
    bytes: u64,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl<T> Weighter<Key, Weighed<T>> for ByBytes {
    fn weight(&self, _: &Key, weighed: &Weighed<T>) -> u64 {
        weighed.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ProviderIndex = ProviderIndex(0);

    impl Size for i32 {
        fn size(&self) -> usize {
            0
        }
    }

    #[test]
    fn a_proof_is_of_one_token_by_one_provider() {
        let mut seen = TokenCache::default();
        seen.insert(HERE, b"token", 1);
        assert_eq!(seen.get(HERE, b"token"), Some(1));
        assert_eq!(seen.get(HERE, b"tokem"), None);
        assert_eq!(seen.get(ProviderIndex(1), b"token"), None);
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        for size in [20, 4_000, 16_000] {
            let mut seen = TokenCache::default();
            for number in 0..20_000 {
                seen.insert(HERE, format!("{number:0size$}").as_bytes(), number);
            }
            assert!(seen.proofs.len() <= usize::try_from(ENTRIES).unwrap(), "{size}: {}", seen.proofs.len());
            assert!(seen.proofs.weight() <= CAPACITY, "{size}: {}", seen.proofs.weight());
            assert!(seen.proofs.len() > 50, "{size}: {}", seen.proofs.len());
        }
    }

    #[test]
    fn a_flood_of_tokens_used_once_spares_the_one_in_use() {
        let mut seen = TokenCache::default();
        seen.insert(HERE, b"in use", 0);
        for number in 1..50_000 {
            assert!(seen.get(HERE, b"in use").is_some(), "{number}");
            seen.insert(HERE, format!("{number:0100}").as_bytes(), number);
        }
    }
}
