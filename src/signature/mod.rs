//! Signatures (RFC 7515 section 5.2, RFC 7518 section 3): algorithm, key type and curve agree here and nowhere else.
//!
//! This module alone can turn an [`UntrustedToken`] into a [`Proven`] one.

mod ecdsa;
mod eddsa;
mod hmac;
mod rsa;

use std::rc::Rc;

use crate::{decision::Denial, keys::Key, token::UntrustedToken};
pub use ecdsa::EcdsaKey;
pub use eddsa::EddsaKey;
pub use hmac::HmacKey;
pub use rsa::{RsaKey, UnfitRsaKey};

/// The signature algorithms of RFC 7518 and RFC 8037 that claimgate verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are those of RFC 7518 section 3.1 and RFC 8037 section 3.1")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    /// Every algorithm, asymmetric ones first.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// Those whose keys may be published: the first ones.
    pub const ASYMMETRIC: &'static [Self] = Self::ALL.split_at(10).0;

    /// The algorithm of this registered name; names are case-sensitive (RFC 7515 section 4.1.1). `Ed25519` is what RFC
    /// 9864 calls the one kind of `EdDSA` there is here.
    pub fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether signer and verifier share one secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

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

/// A way to check signatures: pure Rust here, the host's function beside it one day.
pub trait Verify {
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

/// A token whose signature is good. Only [`prove`] makes one.
#[derive(Debug)]
pub struct Proven<'a>(UntrustedToken<'a>);

impl<'a> Proven<'a> {
    /// The token, now believed.
    pub fn into_token(self) -> UntrustedToken<'a> {
        self.0
    }
}

/// Checks the token's signature with each key in turn until one proves it, and says which. A key that does not permit the
/// token's `alg` proves nothing.
///
/// # Errors
/// [`Denial::KeyUnknown`] if there is no key to try, [`Denial::SignatureInvalid`] if none proves it.
pub fn prove<'a, 'k>(
    token: UntrustedToken<'a>,
    candidates: impl IntoIterator<Item = &'k Rc<Key>>,
    backend: &dyn Verify,
) -> Result<(Proven<'a>, Rc<Key>), Denial> {
    let algorithm = token.header().alg;
    let mut denial = Denial::KeyUnknown;
    for key in candidates {
        denial = Denial::SignatureInvalid;
        if key.permits(algorithm)
            && backend.verify(algorithm, key.verifying_key(), token.signing_input(), token.signature())
        {
            return Ok((Proven(token), Rc::clone(key)));
        }
    }
    Err(denial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asymmetric_is_symmetric() {
        let (asymmetric, rest) = Algorithm::ALL.split_at(Algorithm::ASYMMETRIC.len());
        assert!(asymmetric.iter().all(|algorithm| !algorithm.is_symmetric()));
        assert!(rest.iter().all(|algorithm| algorithm.is_symmetric()));
    }
}
