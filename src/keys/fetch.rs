//! One fetch of a key set: what to ask, and what an answer means.
//!
//! Nothing here speaks to anybody: a [`Call`] goes out, an [`Answer`] comes in.

use std::{borrow::Cow, fmt, time::Duration};

use serde_json::Value;

use super::source::{Discovery, Endpoint};

/// The largest answer read, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// A GET through a cluster of the proxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// Envoy's name for the way.
    pub cluster: String,
    /// The headers, pseudo-headers included.
    pub headers: Vec<(&'static str, String)>,
    /// How long it may take.
    pub timeout: Duration,
}

/// What became of a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// There is no such cluster.
    NoCluster,
    /// The connection could not be opened, or broke before the answer was whole.
    Broken,
    /// An answer, which may be the proxy's own.
    Response(Response),
}

/// An answer of HTTP.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The size of the body in bytes.
    pub size: usize,
    /// The body, unless it is larger than [`MOST_BYTES`].
    pub body: Vec<u8>,
}

/// Why a fetch failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FetchError {
    /// No whole answer in time.
    Timeout,
    /// No connection, or a broken one.
    Connect,
    /// Another status than 200.
    Status(u16),
    /// More than [`MOST_BYTES`].
    TooLarge,
    /// Neither a JSON object nor, of a key set, one with a list `keys`.
    NotJson,
    /// No key in it can be used.
    NoUsableKey,
    /// The metadata are somebody else's.
    IssuerMismatch,
    /// The metadata say that the keys are where they may not be.
    HostNotAllowed,
    /// The proxy has no such cluster.
    ClusterNotFound,
}

impl Call {
    /// Asks for what is there, unless it is still what these validators name.
    pub fn to(endpoint: &Endpoint, timeout: Duration, validators: &[(&'static str, String)]) -> Self {
        let mut headers = vec![
            (":method", "GET".to_owned()),
            (":scheme", endpoint.scheme().to_owned()),
            (":authority", endpoint.authority.clone()),
            (":path", endpoint.path.clone()),
            ("accept", "application/json".to_owned()),
            ("user-agent", concat!("claimgate/", env!("CARGO_PKG_VERSION")).to_owned()),
        ];
        headers.extend_from_slice(validators);
        Self { cluster: endpoint.cluster.clone(), headers, timeout }
    }
}

impl Answer {
    /// The response, if it came from the other side.
    ///
    /// # Errors
    /// What the proxy answers itself is none: 504 after the whole time, 503 without a connection.
    pub fn response(self, took: Duration, timeout: Duration) -> Result<Response, FetchError> {
        match self {
            Self::NoCluster => Err(FetchError::ClusterNotFound),
            Self::Broken if took >= timeout => Err(FetchError::Timeout),
            Self::Broken => Err(FetchError::Connect),
            Self::Response(response) if response.status == 504 && took >= timeout => Err(FetchError::Timeout),
            Self::Response(response) if response.is_for_want_of_a_connection() => Err(FetchError::Connect),
            Self::Response(response) => Ok(response),
        }
    }
}

impl Response {
    /// The values of a header that are text.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.headers.iter().filter(move |(present, _)| present == name);
        values.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The body.
    ///
    /// # Errors
    /// Any status but 200, and more bytes than are read.
    pub fn document(&self) -> Result<&[u8], FetchError> {
        match self.status {
            200 if self.size > MOST_BYTES => Err(FetchError::TooLarge),
            200 => Ok(&self.body),
            status => Err(FetchError::Status(status)),
        }
    }

    /// Envoy's own words.
    fn is_for_want_of_a_connection(&self) -> bool {
        let words: [&[u8]; 2] = [b"upstream connect error or disconnect/reset", b"no healthy upstream"];
        self.status == 503 && words.iter().any(|words| self.body.starts_with(words))
    }
}

impl Discovery {
    /// Where the metadata say that the keys are.
    ///
    /// # Errors
    /// Metadata that are another issuer's (OpenID Connect Discovery 1.0 section 4.3), or that lead elsewhere.
    pub fn read(&self, metadata: &[u8]) -> Result<Endpoint, FetchError> {
        let metadata: Value = serde_json::from_slice(metadata).map_err(|_| FetchError::NotJson)?;
        let text = |member: &str| metadata.get(member).and_then(Value::as_str);
        if !metadata.is_object() {
            return Err(FetchError::NotJson);
        }
        if text("issuer") != Some(&self.issuer) {
            return Err(FetchError::IssuerMismatch);
        }
        text("jwks_uri").and_then(|url| self.keys_at(url)).ok_or(FetchError::HostNotAllowed)
    }
}

impl FetchError {
    /// What metrics call it. A server that invents statuses does not invent metrics.
    pub fn class(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Status(status @ 100..=599) => return Cow::Owned(format!("status_{status}")),
            Self::Status(_) => "status_other",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NoUsableKey => "no_usable_key",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::HostNotAllowed => "host_not_allowed",
            Self::ClusterNotFound => "cluster_not_found",
        })
    }
}

impl fmt::Display for FetchError {
    /// One sentence for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("there was no whole answer in time"),
            Self::Connect => f.write_str("the connection could not be opened or broke"),
            Self::Status(status) => write!(f, "the answer has the status {status}"),
            Self::TooLarge => write!(f, "the answer is larger than {MOST_BYTES} bytes"),
            Self::NotJson => f.write_str("the answer is not the JSON it should be"),
            Self::NoUsableKey => f.write_str("no key in the set can be used"),
            Self::IssuerMismatch => f.write_str("the metadata are of another issuer"),
            Self::HostNotAllowed => f.write_str("the metadata name a `jwks_uri` on a host that is not in `jwksHosts`"),
            Self::ClusterNotFound => f.write_str("the proxy has no such cluster"),
        }
    }
}
