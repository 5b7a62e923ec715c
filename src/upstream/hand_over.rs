//! What becomes of a request that goes on: its tokens are taken out, its claims go upstream.

use std::collections::HashSet;

use super::{Effects, reserved::confusable};
use crate::{
    authenticate::{Identity, location},
    claims::claim_header::Unwritable,
    request::{HeaderEdit, Request},
};

impl Effects {
    /// Takes tokens out and hands claims upstream. Where two identities could fill one header, the first has it, even if it
    /// leaves it empty: an upstream never sees one user's name beside another's groups.
    pub fn hand_over(&mut self, identities: &[Identity<'_>], request: &Request) {
        let consumed: Vec<_> = identities
            .iter()
            .filter(|identity| !identity.provider.forward_original_token)
            .map(|identity| identity.location)
            .collect();
        self.edits.extend(location::removal(&consumed, request));
        let mut taken: HashSet<String> = HashSet::new();
        for Identity { provider, claims, .. } in identities {
            let before = self.edits.len();
            let mut free = |header: &str| taken.insert(confusable(header));
            if let Some(header) = provider.output_payload.as_ref().filter(|header| free(header)) {
                self.edits.push(HeaderEdit::Set(header.clone(), claims.encoded().to_vec()));
            }
            for output in provider.output_claims.iter().filter(|output| free(&output.header)) {
                match output.render(claims) {
                    Ok(Some(value)) => self.edits.push(HeaderEdit::Set(output.header.clone(), value.into_bytes())),
                    Ok(None) => (),
                    Err(Unwritable) => self.dropped.push((provider.name.clone(), output.header.clone())),
                }
            }
            self.clear_route_cache |= provider.clear_route_cache && self.edits.len() > before;
        }
    }
}
