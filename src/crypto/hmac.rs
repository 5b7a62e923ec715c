//! HMAC with SHA-2 (RFC 7518 section 3.2), compared in constant time.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::jose::algorithm::Algorithm;

/// A shared secret of at least 256 bits.
pub struct HmacKey(Vec<u8>);

impl HmacKey {
    /// A secret; `None` if it is shorter than the smallest hash (RFC 7518 section 3.2).
    pub fn new(secret: Vec<u8>) -> Option<Self> {
        (secret.len() >= 32).then_some(Self(secret))
    }

    /// RFC 7518 section 3.2: a key of the same size as the hash output or larger.
    pub(super) fn is_long_enough_for(&self, algorithm: Algorithm) -> bool {
        let hash = match algorithm {
            Algorithm::Hs384 => 48,
            Algorithm::Hs512 => 64,
            _ => 32,
        };
        self.0.len() >= hash
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Hs256 => verify::<Hmac<Sha256>>(&self.0, message, signature),
            Algorithm::Hs384 => verify::<Hmac<Sha384>>(&self.0, message, signature),
            Algorithm::Hs512 => verify::<Hmac<Sha512>>(&self.0, message, signature),
            _ => false,
        }
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

fn verify<M: Mac + KeyInit>(secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(secret).is_ok_and(|mut mac| {
        mac.update(message);
        mac.verify_slice(signature).is_ok()
    })
}
