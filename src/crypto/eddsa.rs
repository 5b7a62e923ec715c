//! EdDSA on Ed25519 (RFC 8037 section 3.1, RFC 8032), strictly: no small-order keys, no malleable signatures.

use ed25519_dalek::{Signature, VerifyingKey};

/// A public point of full order.
#[derive(Debug)]
pub struct EddsaKey(VerifyingKey);

impl EddsaKey {
    /// A key from its 32 bytes; `None` if they are no point, or one of small order.
    pub fn new(point: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(point.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}
