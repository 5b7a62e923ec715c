//! Who may pass. The answer is no unless something here says yes, and only this module can say it.

use crate::{
    authenticate::Identity,
    decision::Denial,
    provider::{Presence, Provider},
    request::Request,
};

/// Leave to continue upstream. Nothing outside this module can make one.
#[derive(Debug, Eq, PartialEq)]
pub struct Permit(());

/// Lets a CORS preflight pass: a browser can't put a token on it.
pub fn cors_preflight(request: &Request) -> Option<Permit> {
    request.is_cors_preflight().then_some(Permit(()))
}

/// Lets a request pass that brings a token for every rule that requires one.
pub fn admit(applying: &[&Provider], identities: &[Identity<'_>]) -> Result<Permit, Denial> {
    let satisfied = |provider: &&Provider| {
        provider.presence == Presence::Optional
            || identities.iter().any(|identity| identity.provider.index == provider.index)
    };
    if applying.iter().all(satisfied) { Ok(Permit(())) } else { Err(Denial::TokenMissing) }
}
