//! A token and a key that verifies its signature (RFC 7515 section 5.2): this module alone makes a [`Proven`].

use std::rc::Rc;

use crate::{crypto::Verify, jose::UntrustedToken, keys::Key, reason::Reason};

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
/// [`Reason::KeyUnknown`] if there is no key to try, [`Reason::SignatureInvalid`] if none proves it.
pub fn prove<'a, 'k>(
    token: UntrustedToken<'a>,
    candidates: impl IntoIterator<Item = &'k Rc<Key>>,
    backend: &dyn Verify,
) -> Result<(Proven<'a>, Rc<Key>), Reason> {
    let algorithm = token.header().alg;
    let mut reason = Reason::KeyUnknown;
    for key in candidates {
        reason = Reason::SignatureInvalid;
        if key.permits(algorithm)
            && backend.verify(algorithm, key.verifying_key(), token.signing_input(), token.signature())
        {
            return Ok((Proven(token), Rc::clone(key)));
        }
    }
    Err(reason)
}
