//! A request as it would go upstream: what policies look at.

use super::{HeaderEdit, Request};

/// A request with edits done to it. It does not give the request as it was sent away.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'r> {
    sent: &'r Request,
    edits: &'r [HeaderEdit],
}

impl Request {
    /// The request as it is after these edits.
    pub fn with<'r>(&'r self, edits: &'r [HeaderEdit]) -> Outgoing<'r> {
        Outgoing { sent: self, edits }
    }
}

impl<'r> Outgoing<'r> {
    /// Every value of one header, in order.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'r [u8]> + use<'r, 'n> {
        let last = self.edits.iter().rposition(|edit| edit.replaces(name));
        let sent = last.is_none().then(|| self.sent.values(name));
        let edits = self.edits.get(last.unwrap_or_default()..).unwrap_or_default();
        sent.into_iter().flatten().chain(edits.iter().filter_map(move |edit| edit.value_of(name)))
    }

    /// The name of every header, as often as it occurs.
    pub fn names(&self) -> impl Iterator<Item = &'r str> {
        let edits = self.edits;
        let kept = self.sent.names().filter(move |name| !edits.iter().any(|edit| edit.replaces(name)));
        let written = edits.iter().enumerate().filter_map(move |(index, edit)| {
            let later = edits.get(index + 1..).unwrap_or_default();
            edit.written().filter(|name| !later.iter().any(|later| later.replaces(name)))
        });
        kept.chain(written)
    }

    /// `GET`, `POST`, …; empty if the proxy gave none.
    pub fn method(&self) -> &'r [u8] {
        self.first(":method")
    }

    /// The request target: path, query and all.
    pub fn target(&self) -> &'r [u8] {
        self.first(":path")
    }

    /// Host and port.
    pub fn authority(&self) -> &'r [u8] {
        self.first(":authority")
    }

    fn first(&self, name: &str) -> &'r [u8] {
        self.values(name).next().unwrap_or_default()
    }
}
