//! ECDSA on P-256, P-384 and P-521 (RFC 7518 section 3.4): the curve fixes the hash, the signature is r and s side by side.

use p256::{ecdsa::signature::Verifier, elliptic_curve::point::AffineCoordinates};

use crate::jose::algorithm::Algorithm;

/// A public point that lies on its curve.
#[derive(Debug)]
pub struct EcdsaKey(Curve);

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
        Some(Self(match algorithm {
            Algorithm::Es256 => Curve::P256(key!(p256)),
            Algorithm::Es384 => Curve::P384(key!(p384)),
            Algorithm::Es512 => Curve::P521(key!(p521)),
            _ => return None,
        }))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.0 {
            Curve::P256(_) => Algorithm::Es256,
            Curve::P384(_) => Algorithm::Es384,
            Curve::P521(_) => Algorithm::Es512,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
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
