//! Names of headers, in lower case (RFC 9110 section 5.1, narrowed to what Istio takes).

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, problem::shown, shape::Shape};

/// Headers that frame the message or route it: a claim there breaks the request.
const FRAMING: [&str; 13] = [
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

/// A header.
#[derive(Debug)]
pub(super) struct HeaderName(pub(super) String);

/// A header that claimgate writes.
#[derive(Debug)]
pub(super) struct OutputHeader(pub(super) String);

impl HeaderName {
    #[inline(never)]
    fn parse(written: &str, at: &mut At<'_>) -> Option<Self> {
        if !written.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            let problem = at.error(format!("{} is not a header's name", shown(written)));
            problem.help("use letters, digits, `-` and `_`");
            return None;
        }
        Some(Self(written.to_ascii_lowercase()))
    }
}

impl Shape for HeaderName {
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
        let HeaderName(name) = HeaderName::parse(&written, at)?;
        if FRAMING.contains(&name.as_str()) {
            let problem = at.error(format!("{} belongs to HTTP itself", shown(&written)));
            problem.help("choose a name of your own, such as `x-user`");
            return None;
        }
        Some(Self(name))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        HeaderName::described()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn written(&self) -> Value {
        self.0.as_str().into()
    }
}
