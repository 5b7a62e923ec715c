//! What the tokens of a request write upstream, header by header.

use crate::{
    authenticate::{Identity, provider::Provider},
    claims::{claim_header::Unwritable, path::ClaimPath},
    request::HeaderName,
};

/// A header that a rule writes.
pub(super) struct Output<'a> {
    pub(super) provider: &'a Provider,
    pub(super) header: &'a HeaderName,
    /// The claim it carries; none if it is the whole payload.
    pub(super) claim: Option<&'a ClaimPath>,
    /// Its value; none if the token has none.
    pub(super) value: Result<Option<Vec<u8>>, Unwritable>,
}

/// What these identities write. Where two could fill one header, the first has it, even if it leaves it empty: an upstream
/// never sees the name of one user beside the groups of another.
pub(super) fn outputs(identities: &[Identity]) -> impl Iterator<Item = Output<'_>> {
    identities.iter().enumerate().flat_map(move |(index, identity)| {
        let earlier = identities.get(..index).unwrap_or_default();
        let is_free = move |output: &Output<'_>| {
            !earlier.iter().flat_map(|other| other.provider.outputs()).any(|taken| taken == output.header)
        };
        of(identity).filter(is_free)
    })
}

fn of(identity: &Identity) -> impl Iterator<Item = Output<'_>> {
    let Identity { provider, claims, .. } = identity;
    let payload = provider.output_payload.iter().map(|header| {
        let value = Ok(Some(claims.encoded().to_vec()));
        Output { provider, header, claim: None, value }
    });
    let of_claims = provider.output_claims.iter().map(|output| {
        let value = output.render(claims).map(|value| value.map(String::into_bytes));
        Output { provider, header: &output.header, claim: Some(&output.claim), value }
    });
    payload.chain(of_claims)
}
