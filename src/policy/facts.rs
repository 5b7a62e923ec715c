//! What the rules are held against: one request, its connection and who sent it.

use std::{borrow::Cow, cell::OnceCell, net::IpAddr};

use ipnet::IpNet;
use serde_json::{Number, Value};

use super::test::{Values, contains};
use crate::{
    claims::Claims,
    connection::{Connection, PeerIdentity},
    matching::path::Reading,
    request::Outgoing,
};

/// What is taken for granted, to find out what would have changed the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Assume {
    /// Nothing: the facts as they are.
    #[default]
    Nothing,
    /// Whatever a rule asks of the token holds.
    Identity,
    /// Nothing a rule asks of the token holds.
    Anonymous,
    /// Whatever a rule asks of the token's scope holds.
    Scope,
}

/// A request and its connection, each question to the proxy asked at most once.
pub struct Known<'a> {
    /// The headers.
    pub request: Outgoing<'a>,
    /// Every way to read the path.
    pub readings: &'a [Reading<'a>],
    /// Host and port in lower case.
    pub host: Vec<u8>,
    connection: &'a dyn Connection,
    peer: OnceCell<Option<String>>,
    source_ip: OnceCell<Option<IpAddr>>,
    remote_ip: OnceCell<Option<IpAddr>>,
    destination_ip: OnceCell<Option<IpAddr>>,
    destination_port: OnceCell<Option<u16>>,
    sni: OnceCell<Option<String>>,
}

impl<'a> Known<'a> {
    /// What can be known of a request over a connection.
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
}

/// One request as the rules see it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The request and its connection.
    pub known: &'a Known<'a>,
    /// What its token says, if it has one.
    pub claims: Option<&'a Claims>,
    /// Claims whose text is a list of words.
    pub space_delimited: &'a [String],
    /// Whether only text matches, as in Istio.
    pub text_only: bool,
    /// What is taken for granted.
    pub assume: Assume,
    /// Whether a rule about an address matches that the proxy does not know: yes for a prohibition, no for a permission.
    pub unknown_matches: bool,
}

impl<'a> Facts<'a> {
    /// Facts about a request from nobody so far.
    pub fn new(known: &'a Known<'a>) -> Self {
        Self {
            known,
            claims: None,
            space_delimited: &[],
            text_only: false,
            assume: Assume::Nothing,
            unknown_matches: false,
        }
    }

    /// The same facts, with something taken for granted.
    pub fn assuming(self, assume: Assume) -> Self {
        Self { assume, ..self }
    }

    /// The same facts for a prohibition: in unknown_matches it matches.
    pub fn for_prohibition(self) -> Self {
        Self { unknown_matches: true, ..self }
    }

    /// The headers.
    pub fn request(&self) -> Outgoing<'a> {
        self.known.request
    }

    /// Every way to read the path.
    pub fn readings(&self) -> &'a [Reading<'a>] {
        self.known.readings
    }

    /// The peer's SPIFFE identity.
    pub fn peer(&self) -> Option<PeerIdentity<'a>> {
        let uri = self.known.peer.get_or_init(|| self.known.connection.peer_uri());
        uri.as_deref().and_then(PeerIdentity::of)
    }

    /// Who opened the connection.
    pub fn source_ip(&self) -> Option<IpAddr> {
        *self.known.source_ip.get_or_init(|| self.known.connection.source_ip())
    }

    /// Who sent the request.
    pub fn remote_ip(&self) -> Option<IpAddr> {
        *self.known.remote_ip.get_or_init(|| self.known.connection.remote_ip())
    }

    /// Where the connection was opened to.
    pub fn destination_ip(&self) -> Option<IpAddr> {
        *self.known.destination_ip.get_or_init(|| self.known.connection.destination_ip())
    }

    /// The port it was opened to.
    pub fn destination_port(&self) -> Option<u16> {
        *self.known.destination_port.get_or_init(|| self.known.connection.destination_port())
    }

    /// The server name of TLS.
    pub fn sni(&self) -> Option<&'a str> {
        self.known.sni.get_or_init(|| self.known.connection.sni()).as_deref()
    }

    /// Whether an address is as a rule wants it.
    pub fn is_within(&self, blocks: &Values<IpNet>, address: Option<IpAddr>) -> bool {
        blocks.is_empty()
            || address.map_or(self.unknown_matches, |address| blocks.hold(|block| contains(block, address)))
    }

    /// The texts of a claim: itself, or the elements of its list, or the words of a space-delimited one.
    pub fn claim_texts(&self, steps: &[String]) -> Vec<Cow<'_, str>> {
        let Some(value) = self.claim(steps) else { return Vec::new() };
        match (value, steps) {
            // A text without words stays what it is, as in Envoy.
            (Value::String(words), [name]) if self.is_space_delimited(name) && !words.trim_matches(' ').is_empty() => {
                words.split(' ').filter(|word| !word.is_empty()).map(Cow::Borrowed).collect()
            }
            (Value::Array(list), _) => list.iter().filter_map(|element| self.text(element)).collect(),
            (value, _) => self.text(value).into_iter().collect(),
        }
    }

    /// A claim at the end of literal steps.
    pub fn claim(&self, steps: &[String]) -> Option<&'a Value> {
        let (first, rest) = steps.split_first()?;
        rest.iter().try_fold(self.claims?.members().get(first)?, |value, step| value.as_object()?.get(step))
    }

    fn is_space_delimited(&self, name: &str) -> bool {
        matches!(name, "scope" | "permission") || self.space_delimited.iter().any(|claim| claim == name)
    }

    fn text<'v>(&self, value: &'v Value) -> Option<Cow<'v, str>> {
        match value {
            Value::String(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) if !self.text_only => Some(Cow::Owned(number_text(number))),
            Value::Bool(flag) if !self.text_only => Some(Cow::Owned(flag.to_string())),
            _ => None,
        }
    }
}

/// The text of a number: `5.0` is `5`, as it is in a configuration.
fn number_text(number: &Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < EXACT => format!("{double:.0}"),
        _ => number.to_string(),
    }
}
