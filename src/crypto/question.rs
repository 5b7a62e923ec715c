//! A question to Envoy's `verify_signature`: the message `VerifySignatureArguments` in the wire format of protobuf, and what the
//! answer, a `VerifySignatureResult`, means.

use std::borrow::Cow;

use super::{VerifyingKey, host::VerifySignature};
use crate::jose::algorithm::Algorithm;

/// What begins the error of a host that has checked a signature and found it bad. Its other errors are about the question.
const BAD_SIGNATURE: &[u8] = b"Failed to verify digest";

/// Whether this signature of this message is good.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) hash: &'static str,
    /// A SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    pub(super) public_key: &'a [u8],
    pub(super) signature: Cow<'a, [u8]>,
    pub(super) message: &'a [u8],
}

impl<'a> Question<'a> {
    /// `None` if the host has no such algorithm, the key is for another one, or the signature has not its form. The host has no
    /// bounds of its own, so what it is asked has passed ours.
    pub(super) fn new(
        algorithm: Algorithm,
        key: &'a VerifyingKey,
        message: &'a [u8],
        signature: &'a [u8],
    ) -> Option<Self> {
        let hash = match algorithm {
            Algorithm::Rs256 | Algorithm::Es256 => "sha256",
            Algorithm::Rs384 | Algorithm::Es384 => "sha384",
            Algorithm::Rs512 | Algorithm::Es512 => "sha512",
            _ => return None,
        };
        let (public_key, signature) = match key {
            _ if !key.fits(algorithm) => return None,
            VerifyingKey::Rsa(key) if key.has_size_of(signature) => (key.spki()?, Cow::Borrowed(signature)),
            VerifyingKey::Ecdsa(key) => (key.spki()?, Cow::Owned(key.der(signature)?)),
            _ => return None,
        };
        Some(Self { hash, public_key, signature, message })
    }

    /// Whether the host says yes or no; anything else is no answer.
    pub(super) fn ask(&self, function: &dyn VerifySignature) -> Option<bool> {
        read(&function.call(&self.arguments())?)
    }

    fn arguments(&self) -> Vec<u8> {
        let fields = [(1, self.hash.as_bytes()), (2, self.public_key), (3, &self.signature), (4, self.message)];
        let mut arguments = Vec::with_capacity(fields.iter().map(|(_, value)| value.len().saturating_add(8)).sum());
        for (number, value) in fields {
            // A field of bytes or text is of wire type 2.
            arguments.push(number << 3 | 2);
            push_varint(&mut arguments, value.len());
            arguments.extend_from_slice(value);
        }
        arguments
    }
}

/// `result` is field 1, a boolean that is left out if it is false; `error` is field 2, a text of less than 128 bytes.
fn read(answer: &[u8]) -> Option<bool> {
    match answer {
        [0x08, 0x01] => Some(true),
        [0x12, length, error @ ..] if usize::from(*length) == error.len() && error.starts_with(BAD_SIGNATURE) => {
            Some(false)
        }
        _ => None,
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut number: usize) {
    while let Some(rest) = Some(number >> 7).filter(|rest| *rest > 0) {
        bytes.push(low_bits(number) | 0x80);
        number = rest;
    }
    bytes.push(low_bits(number));
}

fn low_bits(number: usize) -> u8 {
    number.to_le_bytes().first().map_or(0, |byte| byte & 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_varint(&mut bytes, number);
        bytes
    }

    #[test]
    fn varints_are_protobufs() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(127), [127]);
        assert_eq!(varint(128), [0x80, 1]);
        assert_eq!(varint(150), [0x96, 1]);
        assert_eq!(varint(65_536), [0x80, 0x80, 4]);
    }

    #[test]
    fn a_question_has_four_fields() {
        let question =
            Question { hash: "sha256", public_key: &[0x30; 300], signature: Cow::Borrowed(&[7; 4]), message: b"" };
        let expected = [b"\x0a\x06sha256\x12\xac\x02", [0x30; 300].as_slice(), b"\x1a\x04\x07\x07\x07\x07\x22\x00"];
        assert_eq!(question.arguments(), expected.concat());
    }

    #[test]
    fn only_a_plain_yes_is_yes_and_only_a_bad_signature_is_no() {
        assert_eq!(read(b"\x08\x01"), Some(true));
        assert_eq!(read(b"\x12\x26Failed to verify digest. Error code: 0"), Some(false));
        assert_eq!(read(b"\x12\x17Failed to verify digest"), Some(false));
        for odd in [
            b"".as_slice(),
            b"\x08",
            b"\x01",
            b"\x08\x00",
            b"\x08\x02",
            b"\x08\x81\x00",
            b"\x08\x01\x00",
            b"\x08\x01\x12\x00",
            b"\x12\x00\x08\x01",
            b"\x08\x01\x08\x01",
            b"\x12\x00",
            b"\x12\x23Failed to initialize digest verify.",
            b"\x12\x18sha384 is not supported.",
            b"\x12\x17Failed to verify digest.",
            b"\x12\x18Failed to verify digest",
            b"Failed to verify digest",
            b"true",
        ] {
            assert_eq!(read(odd), None, "{odd:?}");
        }
    }
}
