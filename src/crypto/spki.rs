//! Public keys as SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), in DER.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption` with its NULL (RFC 8017 appendix C).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// `id-ecPublicKey` with the curve (RFC 5480 section 2.1.1).
pub(super) const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub(super) const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
pub(super) const P521: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23";

/// An RSA key of this modulus and exponent, big-endian.
pub(super) fn of_rsa(n: &[u8], e: &[u8]) -> Option<Vec<u8>> {
    of(RSA, &value(SEQUENCE, &[&integer(n)?, &integer(e)?])?)
}

/// A point of this curve, uncompressed (SEC 1 section 2.3.3).
pub(super) fn of_point(curve: &[u8], x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    of(curve, &[&[4], x, y].concat())
}

fn of(algorithm: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    value(SEQUENCE, &[&value(SEQUENCE, &[algorithm])?, &value(BIT_STRING, &[&[0], key])?])
}

/// A number that is not negative, in as few bytes as can say so.
fn integer(bytes: &[u8]) -> Option<Vec<u8>> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..)?;
    let is_positive = digits.first().is_some_and(|first| *first < 0x80);
    value(INTEGER, &[if is_positive { &[] } else { &[0] }, digits])
}

fn value(tag: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let length = u16::try_from(parts.iter().map(|part| part.len()).sum::<usize>()).ok()?;
    let head = match length.to_be_bytes() {
        [0, low] if low < 0x80 => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    Some([&head, parts.concat().as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use p256::pkcs8::{DecodePublicKey, EncodePublicKey};
    use rsa::{BoxedUint, RsaPublicKey, traits::PublicKeyParts};

    use super::*;

    #[test]
    fn rsa_keys_are_those_of_the_crate() {
        for bits in [2048_usize, 2049, 2056, 3072, 4096, 8191, 8192] {
            for first in [0x01_u8, 0x7f, 0x80, 0xff] {
                let mut n = vec![0x5a; bits / 8 - 1];
                n.insert(0, first);
                n.push(0x01);
                for e in [vec![3], vec![1, 0, 1], vec![0x80, 0, 1], vec![1, 0xff, 0xff, 0xff, 0xff]] {
                    let key = RsaPublicKey::new_unchecked(
                        BoxedUint::from_be_slice_vartime(&n),
                        BoxedUint::from_be_slice_vartime(&e),
                    );
                    let der = key.to_public_key_der().unwrap();
                    let padded = [&[0, 0], n.as_slice()].concat();
                    assert_eq!(of_rsa(&n, &e).unwrap(), der.as_bytes(), "{bits} {first} {e:?}");
                    assert_eq!(of_rsa(&padded, &e).unwrap(), der.as_bytes());
                }
            }
        }
    }

    #[test]
    fn a_rsa_key_is_read_back() {
        let n = [&[0x80], [0x11; 254].as_slice(), &[1]].concat();
        let key = RsaPublicKey::from_public_key_der(&of_rsa(&n, &[1, 0, 1]).unwrap()).unwrap();
        assert_eq!(*key.n_bytes(), n);
    }

    #[test]
    fn points_are_those_of_the_crates() {
        macro_rules! check {
            ($curve:ident, $constant:expr) => {
                let point = $curve::PublicKey::from_affine($curve::AffinePoint::GENERATOR).unwrap();
                let der = point.to_public_key_der().unwrap();
                let coordinates = der.as_bytes().len() - 2 * $curve::FieldBytes::default().len();
                let (x, y) = der.as_bytes()[coordinates..].split_at($curve::FieldBytes::default().len());
                assert_eq!(of_point($constant, x, y).unwrap(), der.as_bytes());
            };
        }
        check!(p256, P256);
        check!(p384, P384);
        check!(p521, P521);
    }
}
