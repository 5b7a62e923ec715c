//! What a key server is set to, and what it remembers.

use super::super::{keys, upstream::Seen};
use super::{DISCOVERY, KEYS};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a request is answered.
#[derive(Clone, Debug, Default)]
pub enum Behaviour {
    #[default]
    Good,
    /// This status above the good body, for whoever looks at the body alone.
    Status(u16),
    /// Good for the one who asks after so many, and 500 for the others.
    GoodAfter(usize),
    /// 200 and these bytes.
    Body(Vec<u8>),
    /// Good, later.
    Slow(Duration),
    /// Never.
    Hang,
    /// The head and half of the good body, then nothing.
    HangInBody,
    /// The connection is reset.
    Reset,
    /// The head and half of the good body, then a reset.
    ResetInBody,
}

/// A request, and the status it was answered with, if it was.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub request: Seen,
    pub status: Option<u16>,
}

pub(super) struct Switchboard {
    pub(super) keys: String,
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) behaviours: BTreeMap<String, Behaviour>,
    pub(super) fetches: Vec<Fetch>,
}

/// What goes over the wire, and what becomes of the connection.
pub(super) struct Answer {
    pub(super) delay: Duration,
    pub(super) bytes: Vec<u8>,
    pub(super) then: Then,
}

pub(super) enum Then {
    Listen,
    Hang,
    Reset,
}

// === impl Switchboard ===

impl Switchboard {
    pub(super) fn good(origin: &str) -> Switchboard {
        Switchboard {
            keys: keys::jwks("@p256"),
            issuer: origin.into(),
            jwks_uri: format!("{origin}{KEYS}"),
            headers: BTreeMap::new(),
            behaviours: BTreeMap::new(),
            fetches: Vec::new(),
        }
    }

    pub(super) fn answer(&mut self, request: Seen) -> Answer {
        let behaviour = self.behaviours.get(&request.path).cloned().unwrap_or_default();
        let (status, body) = self.response(&request, &behaviour);
        let head = self.head(status, body.len());
        let bytes = match behaviour {
            Behaviour::Hang | Behaviour::Reset => Vec::new(),
            Behaviour::HangInBody | Behaviour::ResetInBody => [&head, &body[..body.len() / 2]].concat(),
            _ => [head, body].concat(),
        };
        let status = (!bytes.is_empty()).then_some(status);
        self.fetches.push(Fetch { request, status });
        match behaviour {
            Behaviour::Slow(delay) => Answer { delay, bytes, then: Then::Listen },
            Behaviour::Hang | Behaviour::HangInBody => Answer { delay: Duration::ZERO, bytes, then: Then::Hang },
            Behaviour::Reset | Behaviour::ResetInBody => Answer { delay: Duration::ZERO, bytes, then: Then::Reset },
            _ => Answer { delay: Duration::ZERO, bytes, then: Then::Listen },
        }
    }

    fn response(&self, request: &Seen, behaviour: &Behaviour) -> (u16, Vec<u8>) {
        let good = match request.path.as_str() {
            KEYS => self.keys.clone(),
            DISCOVERY => json!({ "issuer": self.issuer, "jwks_uri": self.jwks_uri }).to_string(),
            _ => return (404, Vec::new()),
        };
        match behaviour {
            Behaviour::Status(status @ (204 | 304)) => (*status, Vec::new()),
            Behaviour::Status(status) => (*status, good.into()),
            Behaviour::GoodAfter(others)
                if self.fetches.iter().filter(|fetch| fetch.request.path == request.path).count() != *others =>
            {
                (500, Vec::new())
            }
            Behaviour::Body(body) => (200, body.clone()),
            Behaviour::Good | Behaviour::Slow(_) if self.is_known_to(request) => (304, Vec::new()),
            _ => (200, good.into()),
        }
    }

    /// Whether the client's copy is still good (RFC 9110 13.1.2, weak comparison).
    fn is_known_to(&self, request: &Seen) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let known = request.header("if-none-match").unwrap_or_default();
        self.headers.get("etag").is_some_and(|tag| known.split(',').any(|known| opaque(known) == opaque(tag)))
    }

    fn head(&self, status: u16, length: usize) -> Vec<u8> {
        let mut headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        // RFC 9110 8.6 forbids it with 204, and with 304 it would be that of the body left out.
        if ![204, 304].contains(&status) {
            headers.insert("content-length".into(), length.to_string());
        }
        headers.extend(self.headers.clone());
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("HTTP/1.1 {status} \r\n{lines}\r\n").into_bytes()
    }
}
