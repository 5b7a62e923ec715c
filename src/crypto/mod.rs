//! Signatures (RFC 7515 section 5.2, RFC 7518 section 3): algorithm, key type and curve agree here and nowhere else.

mod ecdsa;
mod eddsa;
mod hmac;
mod host;
mod known_answers;
mod question;
mod rsa;
mod spki;

use std::fmt;

use crate::jose::algorithm::Algorithm;
pub use ecdsa::EcdsaKey;
pub use eddsa::EddsaKey;
pub use hmac::HmacKey;
pub use host::{Host, HostCrypto, VerifySignature};
pub use rsa::{RsaKey, UnfitRsaKey};

/// A public key or shared secret, parsed and found strong enough, ready to verify.
#[derive(Debug)]
pub enum VerifyingKey {
    /// RSA of 2048 to 8192 bits.
    Rsa(RsaKey),
    /// A point on P-256, P-384 or P-521.
    Ecdsa(EcdsaKey),
    /// A point on Ed25519.
    Eddsa(EddsaKey),
    /// A shared secret.
    Hmac(HmacKey),
}

impl VerifyingKey {
    /// Whether a signature of this algorithm can be checked with this key at all.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::*;
        match (self, algorithm) {
            (Self::Rsa(_), Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512) => true,
            (Self::Ecdsa(key), Es256 | Es384 | Es512) => key.algorithm() == algorithm,
            (Self::Eddsa(_), EdDsa) => true,
            (Self::Hmac(key), Hs256 | Hs384 | Hs512) => key.is_long_enough_for(algorithm),
            _ => false,
        }
    }
}

/// A way to check signatures.
pub trait Verify: fmt::Debug {
    /// Whether `signature` is a good signature of `message` under this key, which must fit the algorithm.
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool;
}

/// Every algorithm in pure Rust, on RustCrypto and dalek.
#[derive(Clone, Copy, Debug, Default)]
pub struct PureRust;

impl Verify for PureRust {
    fn verify(&self, algorithm: Algorithm, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
        match key {
            VerifyingKey::Rsa(key) => key.verify(algorithm, message, signature),
            VerifyingKey::Ecdsa(key) => key.algorithm() == algorithm && key.verify(message, signature),
            VerifyingKey::Eddsa(key) => algorithm == Algorithm::EdDsa && key.verify(message, signature),
            VerifyingKey::Hmac(key) => key.verify(algorithm, message, signature),
        }
    }
}
