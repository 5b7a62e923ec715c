//! Names of headers, in lower case (RFC 9110 section 5.1, narrowed to what Istio takes).

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, shape::Shape};
use crate::request::HeaderName;

/// Headers that make a request a preflight (Fetch standard), which what is written would be removed from, and then those that
/// frame the message or route it: a claim there breaks the request.
const RESERVED: [&str; 15] = [
    "access-control-request-method",
    "origin",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header that is read.
#[derive(Debug)]
pub(super) struct ReadHeader(pub(super) HeaderName);

/// A header that claimgate writes.
#[derive(Debug)]
pub(super) struct OutputHeader(pub(super) HeaderName);

impl ReadHeader {
    #[inline(never)]
    fn parse(written: &str, at: &mut At<'_>) -> Option<Self> {
        if !written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            at.wrong(written, "is not a header's name").help("use letters, digits, `-` and `_`");
            return None;
        }
        Some(Self(HeaderName::new(written)))
    }
}

impl Shape for ReadHeader {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.some_text(value)?;
        Self::parse(&written, at)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern("^[A-Za-z0-9_-]+$")
    }
}

impl Shape for OutputHeader {
    #[inline(never)]
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.some_text(value)?;
        let ReadHeader(name) = ReadHeader::parse(&written, at)?;
        let sentence = match RESERVED.iter().position(|reserved| name.is(reserved)) {
            None => return Some(Self(name)),
            Some(0 | 1) => "is what a preflight is known by, and would be removed from it",
            Some(_) => "belongs to HTTP itself",
        };
        at.wrong(&written, sentence).help("use another name, such as `x-user`");
        None
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        ReadHeader::described()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        self.0.as_str().into()
    }
}
