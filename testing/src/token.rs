//! A token made to a recipe: right by default, wrong in exactly the way a case asks for.

use super::keys;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is special about a token. `@now-60` is that second as a number, `@absent` removes a member.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The name of the signing key, `p256` unless given.
    pub key: Option<String>,
    /// Header and signature algorithm; `none` signs nothing. To lie about it, set `header.alg`.
    pub alg: Option<String>,
    /// The RSA key whose public PEM text is the HMAC secret (RFC 8725 2.1).
    pub confused: Option<String>,
    /// The HMAC secret as text. It has no name, so the header gets no `kid` unless `key` is given.
    pub secret: Option<String>,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    pub raw_header: Option<String>,
    pub raw_payload: Option<String>,
    /// The payload in hex, for what is not UTF-8.
    pub bytes_payload: Option<String>,
    /// `flip`, `empty`, `truncated`, `der`, or `=` and the text itself.
    pub signature: Option<String>,
    /// The serialisation, `{header}.{payload}.{signature}` unless given.
    pub compact: Option<String>,
}

impl Recipe {
    /// The JWS in compact serialisation (RFC 7515 7.1).
    pub fn sign(&self, now: u64) -> String {
        let header = BASE64_URL_SAFE_NO_PAD.encode(self.header(now));
        let payload = BASE64_URL_SAFE_NO_PAD.encode(self.payload(now));
        let signature = self.signature(format!("{header}.{payload}").as_bytes());
        let compact = self.compact.as_deref().unwrap_or("{header}.{payload}.{signature}");
        compact.replace("{header}", &header).replace("{payload}", &payload).replace("{signature}", &signature)
    }

    fn header(&self, now: u64) -> String {
        if let Some(raw) = &self.raw_header {
            return instants(raw, now);
        }
        let kid = if self.secret.is_some() { self.key.as_deref().unwrap_or("@absent") } else { self.key() };
        merged(json!({ "alg": self.alg(), "kid": kid, "typ": "JWT" }), &self.header, now)
    }

    fn payload(&self, now: u64) -> Vec<u8> {
        match (&self.bytes_payload, &self.raw_payload) {
            (Some(bytes), _) => hex(bytes),
            (_, Some(raw)) => instants(raw, now).into_bytes(),
            _ => {
                let usual = json!({
                    "iss": "https://idp.example.com",
                    "sub": "alice",
                    "aud": "api://payments",
                    "iat": "@now",
                    "exp": "@now+300",
                });
                merged(usual, &self.claims, now).into_bytes()
            }
        }
    }

    fn signature(&self, message: &[u8]) -> String {
        let mut proof = self.proof(message);
        match self.signature.as_deref() {
            Some("empty") => proof.clear(),
            // Inside r, R or the RSA number, so that it stays in range and only the proof fails.
            Some("flip") => {
                let middle = proof.len() / 2 - 1;
                proof[middle] ^= 1;
            }
            Some("der") => proof = der(&proof),
            // Whole groups of the encoding, so that only the length is wrong.
            Some("truncated") => proof.truncate(proof.len() / 3 * 3 - 3),
            None => {}
            Some(other) => match other.strip_prefix('=') {
                Some(text) => return text.to_owned(),
                None => panic!("`{other}` is no way to spoil a signature"),
            },
        }
        BASE64_URL_SAFE_NO_PAD.encode(proof)
    }

    fn proof(&self, message: &[u8]) -> Vec<u8> {
        if self.alg().eq_ignore_ascii_case("none") {
            return Vec::new();
        }
        match (&self.secret, &self.confused) {
            (Some(secret), _) => keys::mac(secret.as_bytes(), self.alg(), message),
            (_, Some(name)) => keys::mac(keys::public_pem(name).as_bytes(), self.alg(), message),
            _ => keys::sign(self.key(), self.alg(), message),
        }
    }

    fn key(&self) -> &str {
        self.key.as_deref().or(self.confused.as_deref()).unwrap_or("p256")
    }

    fn alg(&self) -> &str {
        match &self.alg {
            Some(alg) => alg,
            None if self.secret.is_some() || self.confused.is_some() => "HS256",
            None => keys::usual_alg(self.key()),
        }
    }
}

fn merged(mut usual: Value, special: &Map<String, Value>, now: u64) -> String {
    usual.as_object_mut().unwrap().extend(special.clone());
    flush(&mut usual, now);
    usual.to_string()
}

/// Puts numbers where `@now` stands and drops what is `@absent`.
fn flush(value: &mut Value, now: u64) {
    match value {
        Value::String(text) if text.starts_with("@now") => {
            let number = serde_json::from_str(&instants(text, now)).map(Value::Number);
            *value = number.unwrap_or_else(|_| panic!("`{text}` is not an instant"));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| flush(item, now)),
        Value::Object(members) => {
            members.retain(|_, member| *member != "@absent");
            members.values_mut().for_each(|member| flush(member, now));
        }
        _ => {}
    }
}

/// Replaces every `@now`, `@now+60`, `@now-60.5` in a text.
fn instants(text: &str, now: u64) -> String {
    let mut parts = text.split("@now");
    let mut settled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let signed = part.starts_with(['+', '-']);
        let digits = part.trim_start_matches(['+', '-']).trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let (offset, rest) = part.split_at(if signed { part.len() - digits.len() } else { 0 });
        settled += &instant(offset, now);
        settled += rest;
    }
    settled
}

fn instant(offset: &str, now: u64) -> String {
    match offset {
        "" => now.to_string(),
        // `{:?}` keeps the fraction of 5.0 (RFC 7519 2 allows one).
        _ if offset.contains('.') => format!("{:?}", now as f64 + offset.parse::<f64>().unwrap()),
        _ => (i128::from(now) + offset.parse::<i128>().unwrap()).to_string(),
    }
}

/// An ECDSA signature the way X.509 writes it and JWS must not (RFC 3279 2.2.3, RFC 7518 3.4).
fn der(proof: &[u8]) -> Vec<u8> {
    let (r, s) = proof.split_at(proof.len() / 2);
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).unwrap();
    let head: &[u8] = if length < 0x80 { &[0x30, length] } else { &[0x30, 0x81, length] };
    [head, &body].concat()
}

fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap();
    let sign: &[u8] = if number[start] < 0x80 { &[] } else { &[0] };
    let body = [sign, &number[start..]].concat();
    [&[0x02, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

/// The bytes of a text like `c3 28`.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
