//! What the rules are held against: one request, its connection and what its token says.

use std::{cell::OnceCell, net::IpAddr};

use crate::{
    claims::Claims,
    connection::{Connection, PeerCertificate, SourceAddress},
    matching::{host, path::Reading},
    request::{HeaderName, Outgoing},
};

/// A request and its connection, each question to the proxy asked at most once.
pub struct Known<'a> {
    request: Outgoing<'a>,
    readings: &'a [Reading<'a>],
    host: Vec<u8>,
    connection: &'a dyn Connection,
    peer: OnceCell<Option<PeerCertificate>>,
    source_ip: OnceCell<Option<IpAddr>>,
    remote_ip: OnceCell<Option<IpAddr>>,
    destination_ip: OnceCell<Option<IpAddr>>,
    destination_port: OnceCell<Option<u16>>,
    sni: OnceCell<Option<String>>,
}

/// One request as the rules see it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The request and its connection.
    pub known: &'a Known<'a>,
    pub token: Token<'a>,
}

/// What a request brings to say whose it is.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// A good token.
    Proven {
        /// What it says.
        claims: &'a Claims,
        /// Claims whose text is a list of words, beside `scope` and `permission`.
        space_delimited: &'a [String],
    },
    /// None.
    Anonymous,
    /// None, for it is a CORS preflight, on which a browser can't put one.
    Preflight,
}

impl<'a> Known<'a> {
    /// What can be known of a request over a connection, with every way to read its path.
    pub fn new(request: Outgoing<'a>, readings: &'a [Reading<'a>], connection: &'a dyn Connection) -> Self {
        Self {
            request,
            readings,
            host: request.authority().to_ascii_lowercase(),
            connection,
            peer: OnceCell::new(),
            source_ip: OnceCell::new(),
            remote_ip: OnceCell::new(),
            destination_ip: OnceCell::new(),
            destination_port: OnceCell::new(),
            sni: OnceCell::new(),
        }
    }

    /// Every way to read the path.
    pub(super) fn readings(&self) -> &'a [Reading<'a>] {
        self.readings
    }

    /// The path and what follows it.
    pub(super) fn target(&self) -> &'a [u8] {
        self.request.target()
    }

    /// Host and port in lower case.
    pub(super) fn host(&self) -> &[u8] {
        &self.host
    }

    /// Whether there is no host.
    pub(super) fn is_host_missing(&self) -> bool {
        host::is_missing(&self.host)
    }

    pub(super) fn method(&self) -> &'a [u8] {
        self.request.method()
    }

    /// The methods that a preflight asks for. A browser asks for one; of several headers Envoy makes one with commas.
    pub(super) fn announced_methods(&self) -> impl Iterator<Item = &'a [u8]> {
        let values = self.request.values("access-control-request-method");
        let methods = values.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        methods.filter(|method| !method.is_empty())
    }

    /// Every value of a header.
    pub(super) fn values<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n [u8]> {
        self.request.values(name)
    }

    /// How many headers an upstream may take for this one.
    pub(super) fn twins(&self, name: &HeaderName) -> usize {
        self.request.names().filter(|other| name.is(other)).count()
    }

    /// The certificate the peer proved.
    pub(super) fn peer(&self) -> Option<&PeerCertificate> {
        self.peer.get_or_init(|| self.connection.peer()).as_ref()
    }

    /// Who opened the connection.
    pub(super) fn source_ip(&self, believed: SourceAddress) -> Option<IpAddr> {
        *self.source_ip.get_or_init(|| self.connection.source_ip(believed))
    }

    /// Who sent the request.
    pub(super) fn remote_ip(&self) -> Option<IpAddr> {
        *self.remote_ip.get_or_init(|| self.connection.remote_ip())
    }

    /// Where the connection was opened to.
    pub(super) fn destination_ip(&self) -> Option<IpAddr> {
        *self.destination_ip.get_or_init(|| self.connection.destination_ip())
    }

    /// The port it was opened to.
    pub(super) fn destination_port(&self) -> Option<u16> {
        *self.destination_port.get_or_init(|| self.connection.destination_port())
    }

    /// The server name of TLS.
    pub(super) fn sni(&self) -> Option<&str> {
        self.sni.get_or_init(|| self.connection.sni()).as_deref()
    }
}

impl<'a> Facts<'a> {
    /// Facts about a request without a token.
    pub fn new(known: &'a Known<'a>) -> Self {
        Self { known, token: Token::Anonymous }
    }

    /// The same request with this token.
    #[must_use]
    pub fn with(self, token: Token<'a>) -> Self {
        Self { token, ..self }
    }

    /// What the token says.
    pub(super) fn claims(&self) -> Option<&'a Claims> {
        match self.token {
            Token::Proven { claims, .. } => Some(claims),
            Token::Anonymous | Token::Preflight => None,
        }
    }
}
