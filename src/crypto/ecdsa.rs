//! ECDSA on P-256, P-384 and P-521 (RFC 7518 section 3.4): the curve fixes the hash, the signature is r and s side by side.

use p256::{ecdsa::signature::Verifier, elliptic_curve::point::AffineCoordinates};

use super::spki;
use crate::jose::algorithm::Algorithm;

/// A public point that lies on its curve.
#[derive(Debug)]
pub struct EcdsaKey {
    curve: Curve,
    spki: Option<Vec<u8>>,
}

#[derive(Debug)]
enum Curve {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl EcdsaKey {
    /// A key from the coordinates of its point, for the algorithm of its curve. They should have the size of the curve
    /// (RFC 7518 section 6.2.1.2), but issuers leave out leading zeros or add some.
    ///
    /// `None` if the point is not on the curve, or the algorithm is no ECDSA.
    pub fn new(algorithm: Algorithm, x: &[u8], y: &[u8]) -> Option<Self> {
        // Not through SEC 1: its compressed points need square roots, which no JWK does.
        macro_rules! key {
            ($curve:ident) => {{
                let point = $curve::AffinePoint::from_coordinates(&coordinate(x)?.into(), &coordinate(y)?.into());
                $curve::ecdsa::VerifyingKey::from_affine(point.into_option()?).ok()?
            }};
        }
        Some(Self::on(match algorithm {
            Algorithm::Es256 => Curve::P256(key!(p256)),
            Algorithm::Es384 => Curve::P384(key!(p384)),
            Algorithm::Es512 => Curve::P521(key!(p521)),
            _ => return None,
        }))
    }

    /// The generator of the algorithm's curve.
    pub(super) fn generator(algorithm: Algorithm) -> Option<Self> {
        macro_rules! key {
            ($curve:ident) => {
                $curve::ecdsa::VerifyingKey::from_affine($curve::AffinePoint::GENERATOR).ok()?
            };
        }
        Some(Self::on(match algorithm {
            Algorithm::Es256 => Curve::P256(key!(p256)),
            Algorithm::Es384 => Curve::P384(key!(p384)),
            Algorithm::Es512 => Curve::P521(key!(p521)),
            _ => return None,
        }))
    }

    fn on(curve: Curve) -> Self {
        macro_rules! spki {
            ($constant:expr, $key:ident) => {
                spki::of_point($constant, &$key.as_affine().x(), &$key.as_affine().y())
            };
        }
        let spki = match &curve {
            Curve::P256(key) => spki!(spki::P256, key),
            Curve::P384(key) => spki!(spki::P384, key),
            Curve::P521(key) => spki!(spki::P521, key),
        };
        Self { curve, spki }
    }

    /// The key as SubjectPublicKeyInfo (RFC 5480 section 2).
    pub(super) fn spki(&self) -> Option<&[u8]> {
        self.spki.as_deref()
    }

    /// A signature as ASN.1 has it (RFC 3279 section 2.2.3); `None` if it has another size, or r or s is not from 1 to n - 1.
    pub(super) fn der(&self, signature: &[u8]) -> Option<Vec<u8>> {
        macro_rules! der {
            ($curve:ident) => {
                $curve::ecdsa::Signature::from_slice(signature).ok()?.to_der().as_bytes().to_vec()
            };
        }
        Some(match self.curve {
            Curve::P256(_) => der!(p256),
            Curve::P384(_) => der!(p384),
            Curve::P521(_) => der!(p521),
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.curve {
            Curve::P256(_) => Algorithm::Es256,
            Curve::P384(_) => Algorithm::Es384,
            Curve::P521(_) => Algorithm::Es512,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.curve {
            Curve::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Curve::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Curve::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// A number at the size of its curve.
fn coordinate<const SIZE: usize>(bytes: &[u8]) -> Option<[u8; SIZE]> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..)?;
    let mut number = [0; SIZE];
    number.get_mut(SIZE.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    Some(number)
}
