//! A token as it arrives: compact JWS (RFC 7515 section 7.1), taken apart strictly, and not believed.
//!
//! Exactly three non-empty parts, each strict base64url, header and payload strict JSON objects, all within a size bound.
//! Encrypted tokens (five parts) and the JSON serialisations are not read.

pub mod algorithm;
pub mod header;
pub mod json;

use serde_json::{Map, Value};

use crate::{encoding::base64url, reason::Reason};
use header::Header;

/// A well-formed token whose signature nobody has checked.
///
/// Its only use is to be proven (`proof::prove`); until then it tells just enough to choose a rule and a key.
#[derive(Debug)]
pub struct UntrustedToken<'a> {
    header: Header,
    payload: Map<String, Value>,
    signature: Vec<u8>,
    signing_input: &'a [u8],
    payload_segment: &'a [u8],
}

impl<'a> UntrustedToken<'a> {
    /// Takes a compact token apart.
    ///
    /// # Errors
    /// The first thing that is wrong with its form, in the order header, payload, signature.
    pub fn parse(text: &'a [u8]) -> Result<Self, Reason> {
        let mut parts = text.split(|byte| *byte == b'.');
        let (Some(header_segment), Some(payload_segment), Some(signature_segment), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Reason::TokenMalformed);
        };
        if header_segment.is_empty() || payload_segment.is_empty() {
            return Err(Reason::TokenMalformed);
        }
        let header = base64url::decode(header_segment).ok_or(Reason::HeaderEncoding)?;
        let header = json::object(&header).map_err(|_| Reason::HeaderJson)?;
        if signature_segment.is_empty() {
            return Err(if header::is_unsecured(&header) { Reason::AlgNone } else { Reason::TokenMalformed });
        }
        let header = Header::read(header)?;
        let payload = base64url::decode(payload_segment).ok_or(Reason::PayloadEncoding)?;
        let payload = json::object(&payload).map_err(|_| Reason::PayloadJson)?;
        let signature = base64url::decode(signature_segment).ok_or(Reason::SignatureEncoding)?;
        let signing_input = text.strip_suffix(signature_segment).and_then(|rest| rest.strip_suffix(b"."));
        Ok(Self {
            header,
            payload,
            signature,
            signing_input: signing_input.ok_or(Reason::TokenMalformed)?,
            payload_segment,
        })
    }

    /// The JOSE header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Who the token says issued it: good for choosing a rule, for nothing else.
    pub fn claimed_issuer(&self) -> Option<&Value> {
        self.payload.get("iss")
    }

    /// The bytes the signature covers.
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    /// The decoded signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Header, payload and the payload as it was encoded; only a proof may call for them.
    pub(crate) fn into_parts(self) -> (Header, Map<String, Value>, &'a [u8]) {
        (self.header, self.payload, self.payload_segment)
    }
}
