//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 7518 sections 3.3 and 3.5, RFC 8017).

use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey, traits::PublicKeyParts};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::spki;
use crate::jose::algorithm::Algorithm;

/// RFC 7518 section 3.3: 2048 bits or larger. The upper bound keeps one verification from becoming a weapon.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// An RSA public key within bounds.
#[derive(Debug)]
pub struct RsaKey {
    key: RsaPublicKey,
    spki: Option<Vec<u8>>,
}

/// Why an RSA key can't be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UnfitRsaKey {
    /// The modulus has this many bits, fewer than 2048.
    TooSmall(u32),
    /// The modulus has this many bits, more than 8192.
    TooLarge(u32),
    /// An even modulus, or an exponent that is even, below 3 or above 2^33.
    Malformed,
}

impl RsaKey {
    /// A key of this modulus and exponent, big-endian.
    pub fn new(n: &[u8], e: &[u8]) -> Result<Self, UnfitRsaKey> {
        let n = BoxedUint::from_be_slice_vartime(n);
        match n.bits_vartime() {
            bits if usize::try_from(bits).is_ok_and(|bits| bits < *MODULUS_BITS.start()) => {
                return Err(UnfitRsaKey::TooSmall(bits));
            }
            bits if usize::try_from(bits).is_ok_and(|bits| bits > *MODULUS_BITS.end()) => {
                return Err(UnfitRsaKey::TooLarge(bits));
            }
            _ => (),
        }
        let e = BoxedUint::from_be_slice_vartime(e);
        let key = RsaPublicKey::new_with_size_limits(n, e, MODULUS_BITS).map_err(|_| UnfitRsaKey::Malformed)?;
        let spki = spki::of_rsa(&key.n_bytes(), &key.e_bytes());
        Ok(Self { key, spki })
    }

    /// The key as SubjectPublicKeyInfo (RFC 8017 appendix A.1).
    pub(super) fn spki(&self) -> Option<&[u8]> {
        self.spki.as_deref()
    }

    /// RFC 8017 sections 8.1.2 and 8.2.2, step 1: the length is the modulus's, neither shorter nor longer.
    pub(super) fn has_size_of(&self, signature: &[u8]) -> bool {
        signature.len() == self.key.size()
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        use Algorithm::*;
        if !self.has_size_of(signature) {
            return false;
        }
        let outcome = match algorithm {
            Rs256 => self.key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
            Rs384 => self.key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
            Rs512 => self.key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
            Ps256 => self.key.verify(Pss::<Sha256>::new(), &Sha256::digest(message), signature),
            Ps384 => self.key.verify(Pss::<Sha384>::new(), &Sha384::digest(message), signature),
            Ps512 => self.key.verify(Pss::<Sha512>::new(), &Sha512::digest(message), signature),
            _ => return false,
        };
        outcome.is_ok()
    }
}
