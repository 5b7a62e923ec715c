//! A request as the proxy holds it: its headers in order, pseudo-headers included.
//!
//! Values are bytes: nothing here assumes that a client sends UTF-8.

mod edit;
mod header_name;
mod outgoing;

pub use edit::HeaderEdit;
pub use header_name::HeaderName;
pub use outgoing::Outgoing;

/// The headers of one request, names in lower case, `:method`, `:path`, `:authority` and `:scheme` among them.
///
/// It is a value and not a trait over lazy reads, because the removal of forged headers has to see every name anyway:
/// one host call brings them all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Request {
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// A request with these headers, in this order.
    pub fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self { headers }
    }

    /// Every header name, as often as it occurs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// Every header, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Every value of one header, in order.
    pub fn values<'r, 'n>(&'r self, name: &'n str) -> impl Iterator<Item = &'r [u8]> + use<'r, 'n> {
        self.headers.iter().filter(move |(present, _)| present == name).map(|(_, value)| value.as_slice())
    }

    /// `GET`, `POST`, …; empty if the proxy gave none.
    pub fn method(&self) -> &[u8] {
        self.first(":method")
    }

    /// The request target: path, query and all.
    pub fn target(&self) -> &[u8] {
        self.first(":path")
    }

    /// Host and port as the client wrote them.
    pub fn authority(&self) -> &[u8] {
        self.first(":authority")
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &[u8] {
        self.first(":scheme")
    }

    /// Whether this is a CORS preflight: `OPTIONS` with `Origin` and `Access-Control-Request-Method` (Fetch standard). No
    /// browser sends a twin of these names, so a request with one is not excused.
    pub fn is_cors_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && ["origin", "access-control-request-method"].iter().all(|name| self.is_sound(name))
    }

    /// Whether a header is there, has a value, and has no twin.
    fn is_sound(&self, name: &str) -> bool {
        let twins = HeaderName::new(name);
        self.values(name).any(|value| !value.is_empty())
            && self.names().all(|present| present == name || !twins.is(present))
    }

    fn first(&self, name: &str) -> &[u8] {
        self.headers.iter().find(|(present, _)| present == name).map_or(&[], |(_, value)| value.as_slice())
    }
}
