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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit() -> impl Strategy<Value = HeaderEdit> {
        ("[a-c]", "[0-9]", 0..3).prop_map(|(name, value, kind)| match kind {
            0 => HeaderEdit::Remove(name),
            1 => HeaderEdit::Set(name, value.into_bytes()),
            _ => HeaderEdit::Add(name, value.into_bytes()),
        })
    }

    /// The headers after the edits, done one by one as a proxy does them.
    fn performed(mut headers: Vec<(String, Vec<u8>)>, edits: &[HeaderEdit]) -> Vec<(String, Vec<u8>)> {
        for edit in edits {
            match edit {
                HeaderEdit::Remove(name) => headers.retain(|(present, _)| present != name),
                HeaderEdit::Set(name, value) => {
                    headers.retain(|(present, _)| present != name);
                    headers.push((name.clone(), value.clone()));
                }
                HeaderEdit::Add(name, value) => headers.push((name.clone(), value.clone())),
            }
        }
        headers
    }

    proptest! {
        #[test]
        fn it_is_what_the_edits_make_of_it(
            headers in prop::collection::vec(("[a-c]", "[0-9]"), 0..6),
            edits in prop::collection::vec(edit(), 0..6),
        ) {
            let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect();
            let request = Request::new(headers.clone());
            let expected = performed(headers, &edits);
            let outgoing = request.with(&edits);
            for name in ["a", "b", "c"] {
                let values = expected.iter().filter(|(present, _)| present == name).map(|(_, value)| value.as_slice());
                prop_assert!(outgoing.values(name).eq(values), "{name}: {:?}", outgoing.values(name).collect::<Vec<_>>());
            }
            let (mut found, mut names) = (outgoing.names().collect::<Vec<_>>(), vec![]);
            names.extend(expected.iter().map(|(name, _)| name.as_str()));
            found.sort_unstable();
            names.sort_unstable();
            prop_assert_eq!(found, names);
        }
    }
}
