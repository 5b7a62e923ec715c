//! One JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2): a key we can verify with, or the reason to skip it.

use std::fmt;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::set::MAX_ATTEMPTS;
use crate::{
    crypto::{EcdsaKey, EddsaKey, HmacKey, RsaKey, UnfitRsaKey, VerifyingKey},
    encoding::{base64url, printable::printable},
    jose::algorithm::Algorithm,
};

/// How much of a member is shown.
pub(super) const LONGEST_MEMBER: usize = 64;

/// A key of a set, ready to verify.
#[derive(Debug)]
pub struct Key {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    verifying_key: VerifyingKey,
    digest: [u8; 32],
}

/// Why a key is skipped. The issuer's fault, not the client's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Skip {
    /// Not a JSON object.
    NotAnObject,
    /// A member that must be there is absent or not a string.
    Missing(&'static str),
    /// `kid` is not a string.
    Kid,
    /// A member that is not base64url.
    Encoding(&'static str),
    /// `kty` is none of RSA, EC, OKP and oct.
    KeyType(String),
    /// A curve claimgate does not know.
    Curve(String),
    /// `alg` is not one claimgate verifies with this key.
    Algorithm(String),
    /// `use` is not `sig`.
    Use(String),
    /// `key_ops` does not hold `verify`.
    KeyOps,
    /// The coordinates are not a point of the curve.
    Point,
    /// RSA outside its bounds.
    Rsa(UnfitRsaKey),
    /// A secret of this many bytes, too short for any `HS…` algorithm the rule allows (RFC 7518 section 3.2).
    ShortSecret(usize),
    /// A shared secret, and the rule lists no `HS…` algorithm.
    Secret,
    /// One more key without a `kid` than a token is tried with.
    TooManyUnnamed,
    /// No algorithm the rule allows can use it.
    NotAllowed,
}

impl Key {
    /// Reads one member of a set for a rule that allows these algorithms.
    pub fn parse(jwk: &Value, allowed: &[Algorithm]) -> Result<Self, Skip> {
        if !jwk.is_object() {
            return Err(Skip::NotAnObject);
        }
        match jwk.get("use") {
            None => (),
            // `jwt-svid` marks the keys of a SPIFFE bundle that verify tokens (SPIFFE JWT-SVID section 4).
            Some(Value::String(usage)) if usage == "sig" || usage == "jwt-svid" => (),
            Some(usage) => return Err(Skip::Use(shown(usage))),
        }
        match jwk.get("key_ops") {
            None => (),
            Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => (),
            Some(_) => return Err(Skip::KeyOps),
        }
        let verifying_key = match string(jwk, "kty")? {
            "RSA" => RsaKey::new(&bytes(jwk, "n")?, &bytes(jwk, "e")?).map(VerifyingKey::Rsa).map_err(Skip::Rsa)?,
            "EC" => ecdsa(jwk)?,
            "OKP" => eddsa(jwk)?,
            "oct" if !allowed.iter().any(|algorithm| algorithm.is_symmetric()) => return Err(Skip::Secret),
            "oct" => hmac(bytes(jwk, "k")?, allowed)?,
            other => return Err(Skip::KeyType(printable(other, LONGEST_MEMBER))),
        };
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(Value::String(name)) => match Algorithm::named(name) {
                Some(algorithm) if verifying_key.fits(algorithm) => Some(algorithm),
                _ => return Err(Skip::Algorithm(printable(name, LONGEST_MEMBER))),
            },
            Some(other) => return Err(Skip::Algorithm(shown(other))),
        };
        let kid = match jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(Skip::Kid),
        };
        let digest = Sha256::digest(jwk.to_string()).into();
        let key = Self { kid, algorithm, verifying_key, digest };
        if allowed.iter().any(|algorithm| key.permits(*algorithm)) { Ok(key) } else { Err(Skip::NotAllowed) }
    }

    /// The name tokens call it by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm the issuer uses it for, if it says so.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// Whether another was made from the same JWK, member by member.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// The parsed key.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }
}

/// Whether a JWK carries the private half of its key (RFC 7518 section 6), which no verifier needs.
pub fn is_private(jwk: &Value) -> bool {
    jwk.get("d").is_some()
}

fn ecdsa(jwk: &Value) -> Result<VerifyingKey, Skip> {
    let algorithm = match string(jwk, "crv")? {
        "P-256" => Algorithm::Es256,
        "P-384" => Algorithm::Es384,
        "P-521" => Algorithm::Es512,
        other => return Err(Skip::Curve(printable(other, LONGEST_MEMBER))),
    };
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    EcdsaKey::new(algorithm, &x, &y).map(VerifyingKey::Ecdsa).ok_or(Skip::Point)
}

fn eddsa(jwk: &Value) -> Result<VerifyingKey, Skip> {
    match string(jwk, "crv")? {
        "Ed25519" => EddsaKey::new(&bytes(jwk, "x")?).map(VerifyingKey::Eddsa).ok_or(Skip::Point),
        other => Err(Skip::Curve(printable(other, LONGEST_MEMBER))),
    }
}

fn hmac(secret: Vec<u8>, allowed: &[Algorithm]) -> Result<VerifyingKey, Skip> {
    let short = Skip::ShortSecret(secret.len());
    let key = HmacKey::new(secret).map(VerifyingKey::Hmac).ok_or_else(|| short.clone())?;
    if allowed.iter().any(|algorithm| key.fits(*algorithm)) { Ok(key) } else { Err(short) }
}

fn string<'a>(jwk: &'a Value, member: &'static str) -> Result<&'a str, Skip> {
    jwk.get(member).and_then(Value::as_str).ok_or(Skip::Missing(member))
}

fn bytes(jwk: &Value, member: &'static str) -> Result<Vec<u8>, Skip> {
    base64url::decode_padded(string(jwk, member)?).ok_or(Skip::Encoding(member))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text, LONGEST_MEMBER),
        other => printable(&other.to_string(), LONGEST_MEMBER),
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("it is not a JSON object"),
            Self::Missing(member) => write!(f, "its `{member}` is missing or not a string"),
            Self::Encoding(member) => write!(f, "its `{member}` is not base64url"),
            Self::KeyType(kty) => write!(f, "its `kty` is `{kty}`, not `RSA`, `EC`, `OKP` or `oct`"),
            Self::Curve(curve) => {
                write!(f, "its `crv` is `{curve}`, not `P-256`, `P-384`, `P-521` or `Ed25519`")
            }
            Self::Algorithm(alg) => write!(f, "its `alg` is `{alg}`, which claimgate does not verify with such a key"),
            Self::Use(usage) => write!(f, "its `use` is `{usage}`, not `sig`"),
            Self::KeyOps => f.write_str("its `key_ops` do not hold `verify`"),
            Self::Point => f.write_str("it is not a point on its curve"),
            Self::Rsa(UnfitRsaKey::TooSmall(bits)) => write!(f, "it has {bits} bits, and RSA needs 2048"),
            Self::Rsa(UnfitRsaKey::TooLarge(bits)) => write!(f, "it has {bits} bits, more than the 8192 allowed"),
            Self::Rsa(UnfitRsaKey::Malformed) => {
                f.write_str("its modulus is even, or its exponent is even or out of range")
            }
            Self::ShortSecret(bytes) => {
                write!(f, "its secret has {bytes} bytes, and `HS256` needs 32, `HS384` 48, `HS512` 64")
            }
            Self::Kid => f.write_str("its `kid` is not a string"),
            Self::Secret => f.write_str("it is a shared secret, and `algorithms` lists no `HS256`, `HS384` or `HS512`"),
            Self::TooManyUnnamed => {
                write!(f, "it has no `kid`, and a token is tried with {MAX_ATTEMPTS} such keys at most")
            }
            Self::NotAllowed => f.write_str("no algorithm in `algorithms` can use it"),
        }
    }
}
