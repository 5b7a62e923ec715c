//! One GET through a cluster of the proxy, and what became of it.

use std::{borrow::Cow, fmt, time::Duration};

use super::endpoint::Endpoint;

/// The largest answer read, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

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
pub enum CallResult {
    /// There is no such cluster.
    NoCluster,
    /// The connection could not be opened, or broke before the answer was whole.
    Broken,
    /// An answer, which may be the proxy's own.
    Response(Response),
}

/// What makes the next call conditional (RFC 9110 section 8.8).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

/// Why a call brought no document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallError {
    /// No whole answer in time.
    Timeout,
    /// No connection, or a broken one.
    Connect,
    /// Another status than 200.
    Status(u16),
    /// More than [`MAX_BODY_BYTES`].
    TooLarge,
    /// The proxy has no such cluster.
    ClusterNotFound,
}

/// An answer of HTTP.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The size of the body in bytes.
    pub size: usize,
    /// The body, unless it is larger than [`MAX_BODY_BYTES`].
    pub body: Vec<u8>,
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

impl CallResult {
    /// The response, if it came from the other side.
    ///
    /// # Errors
    /// What the proxy answers itself is none: 504 when the time is over, 503 without a connection.
    pub fn response(self, took: Duration, timeout: Duration) -> Result<Response, CallError> {
        // The proxy's timer and the clock are not the same.
        let is_over = took >= timeout.saturating_sub(timeout / 20);
        match self {
            Self::NoCluster => Err(CallError::ClusterNotFound),
            Self::Broken if is_over => Err(CallError::Timeout),
            Self::Broken => Err(CallError::Connect),
            Self::Response(response) if response.is_local() => Err(match response.status {
                504 => CallError::Timeout,
                503 => CallError::Connect,
                status => CallError::Status(status),
            }),
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

    /// What names this response's document.
    pub fn validators(&self) -> Validators {
        let value = |name| self.values(name).next().map(str::to_owned);
        Validators { etag: value("etag"), last_modified: value("last-modified") }
    }

    /// The body.
    ///
    /// # Errors
    /// Any status but 200, and more bytes than are read.
    pub fn document(&self) -> Result<&[u8], CallError> {
        match self.status {
            200 if self.size > MAX_BODY_BYTES => Err(CallError::TooLarge),
            200 => Ok(&self.body),
            status => Err(CallError::Status(status)),
        }
    }

    /// Whether it is Envoy's own, which has one of these texts and not the header that Envoy puts on all others. An issuer
    /// behind another Envoy may send the same text.
    fn is_local(&self) -> bool {
        let texts: [&[u8]; 3] =
            [b"upstream request timeout", b"upstream connect error or disconnect/reset", b"no healthy upstream"];
        self.values("x-envoy-upstream-service-time").next().is_none()
            && texts.iter().any(|text| self.body.starts_with(text))
    }
}

impl Validators {
    /// As headers of a request (RFC 9110 section 13.1).
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let etag = self.etag.clone().map(|etag| ("if-none-match", etag));
        etag.into_iter().chain(self.last_modified.clone().map(|date| ("if-modified-since", date))).collect()
    }
}

impl CallError {
    /// The label in metrics and in the log. A server that invents statuses does not invent metrics.
    pub fn class(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Status(status @ 100..=599) => return Cow::Owned(format!("status_{status}")),
            Self::Status(_) => "status_other",
            Self::TooLarge => "too_large",
            Self::ClusterNotFound => "cluster_not_found",
        })
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("there was no whole answer in time"),
            Self::Connect => f.write_str("the connection could not be opened or broke"),
            Self::Status(status) => write!(f, "the answer has the status {status}"),
            Self::TooLarge => write!(f, "the answer is larger than {MAX_BODY_BYTES} bytes"),
            Self::ClusterNotFound => f.write_str("the proxy has no such cluster"),
        }
    }
}
