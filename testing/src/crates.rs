//! Envoy's `verify_signature` as Envoy has it, but with the crates inside: no policy, and a parser of its own.

use claimgate::crypto::VerifySignature;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{Pkcs1v15Sign, RsaPublicKey, pkcs8::DecodePublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The crates, asked as the host is.
#[derive(Debug)]
pub struct Crates;

impl VerifySignature for Crates {
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        let fields = fields(arguments)?;
        let [(1, hash), (2, key), (3, signature), (4, text)] = fields.as_slice() else { return None };
        let (hash, scheme) = match *hash {
            b"sha256" => (Sha256::digest(text).to_vec(), Pkcs1v15Sign::new::<Sha256>()),
            b"sha384" => (Sha384::digest(text).to_vec(), Pkcs1v15Sign::new::<Sha384>()),
            b"sha512" => (Sha512::digest(text).to_vec(), Pkcs1v15Sign::new::<Sha512>()),
            _ => return None,
        };
        macro_rules! verified {
            ($curve:ident) => {
                $curve::ecdsa::VerifyingKey::from_public_key_der(key).ok().map(|key| {
                    let signature = $curve::ecdsa::Signature::from_der(signature);
                    signature.is_ok_and(|signature| key.verify_prehash(&hash, &signature).is_ok())
                })
            };
        }
        let rsa = RsaPublicKey::from_public_key_der(key).ok();
        let is_good = rsa.map(|key| key.verify(scheme, &hash, signature).is_ok());
        let is_good = is_good.or_else(|| verified!(p256)).or_else(|| verified!(p384)).or_else(|| verified!(p521));
        Some(if is_good? { b"\x08\x01".to_vec() } else { b"\x12\x26Failed to verify digest. Error code: 0".to_vec() })
    }
}

/// The fields of a message that has only bytes and text (protobuf's wire type 2).
fn fields(mut message: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut fields = Vec::new();
    while let Some((tag, rest)) = message.split_first() {
        let (mut length, mut shift, mut rest) = (0, 0, rest);
        loop {
            let (byte, after) = rest.split_first()?;
            length |= usize::from(byte & 0x7f) << shift;
            (shift, rest) = (shift + 7, after);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (value, after) = rest.split_at_checked(length)?;
        (message, _) = (after, fields.push((tag >> 3, value)));
        if tag & 7 != 2 {
            return None;
        }
    }
    Some(fields)
}
