//! What becomes of a request on its way upstream: forged headers and tokens are taken out, claims are written.

pub mod missing_header;
mod output;
pub mod reserved;

use crate::{
    authenticate::Identity,
    location::{self, Location},
    request::{HeaderEdit, Request},
};
use missing_header::MissingHeader;
use output::outputs;
use reserved::ReservedHeaders;

/// The edits of one request, as data.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeaderMutation {
    /// In the order in which to do them.
    pub edits: Vec<HeaderEdit>,
    /// Headers that were to carry a claim whose value no header can carry faithfully.
    pub unwritable: Vec<MissingHeader>,
    /// Whether the route is to be chosen anew after the edits, for it may hang on what they changed.
    pub clear_route_cache: bool,
}

/// The headers that claimgate alone writes.
#[derive(Debug)]
pub struct Upstream {
    reserved: ReservedHeaders,
    /// Those among them that the route may hang on.
    routing: ReservedHeaders,
}

impl Upstream {
    /// With these reserved headers, the latter of which choose routes.
    pub fn new(reserved: ReservedHeaders, routing: ReservedHeaders) -> Self {
        Self { reserved, routing }
    }

    /// The names under which only claimgate writes.
    pub fn reserved(&self) -> &ReservedHeaders {
        &self.reserved
    }

    /// What is done to every request first: whatever a client sends under a reserved name is a forgery.
    pub fn remove_forged(&self, request: &Request) -> HeaderMutation {
        let edits = self.reserved.removal(request);
        let clear_route_cache =
            edits.iter().any(|edit| matches!(edit, HeaderEdit::Remove(name) if self.routing.holds(name)));
        HeaderMutation { edits, clear_route_cache, ..HeaderMutation::default() }
    }
}

impl HeaderMutation {
    /// Takes the tokens out of a request, those of these identities and those at these other places.
    pub fn remove_tokens(&mut self, identities: &[Identity], others: &[&Location], request: &Request) {
        let of_identities = identities.iter().filter(|identity| !identity.provider.forward_original_token);
        let consumed: Vec<&Location> =
            of_identities.map(|it| it.location.as_ref()).chain(others.iter().copied()).collect();
        self.edits.extend(location::removal(&consumed, request));
    }

    /// Writes claims as headers.
    pub fn write_claims(&mut self, identities: &[Identity]) {
        for output in outputs(identities) {
            match output.value {
                Ok(Some(value)) => {
                    self.clear_route_cache |= output.provider.clear_route_cache;
                    self.edits.push(HeaderEdit::Set(output.header.as_str().to_owned(), value));
                }
                Ok(None) => (),
                Err(_) => self.unwritable.extend(MissingHeader::of(&output)),
            }
        }
    }
}
