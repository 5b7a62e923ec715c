//! What a rule's tokens must claim.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    duration::Span,
    shape::{Shape, Text, object},
};
use crate::{
    claims::validity::{self, Audience, Types},
    jose::algorithm::Algorithm,
    matching::pattern::Pattern,
};

object! {
    /// What a token must claim.
    pub struct Expectations:

    /// Accepted audiences; one of them must be in `aud`. `http://`, `https://` and one trailing `/` are dropped on both sides
    /// before comparing. Default: `aud` is not checked, with a warning.
    pub audiences: Vec<Audience>,
    /// Accepted subjects, as patterns: exact, `abc*`, `*abc`, or `*` for any that is not empty. Default: `sub` is not checked.
    pub subjects: Vec<Pattern>,
    /// Accepted `typ`, compared without regard to case and to a leading `application/`. If listed, a token without `typ` is
    /// denied. Default: any bearer token.
    pub types: Types = Types::Bearer,
    /// Accepted `alg`. `Ed25519` is another name for `EdDSA`; `HS256`, `HS384` and `HS512` need a shared secret in `jwks`.
    /// Default: every asymmetric one.
    pub algorithms: Algorithms,
    /// How far the clocks of issuer and proxy may differ, for `exp`, `nbf` and `maxLifetime`. `0s` means not at all.
    pub clock_skew: Span<0> = Span::seconds(60),
    /// Whether a token must have `exp`.
    pub require_expiration: bool = true,
    /// How long a token may still be valid; `clockSkew` is added. It needs `exp`, whatever `requireExpiration` says.
    /// Default: no bound.
    pub max_lifetime: Option<Span<1>>,
}

impl Expectations {
    /// The checks, and the algorithms.
    pub(super) fn checked(self) -> (validity::Expectations, Vec<Algorithm>) {
        let expectations = validity::Expectations {
            audiences: self.audiences,
            subjects: self.subjects,
            types: self.types,
            clock_skew: self.clock_skew.0,
            require_expiration: self.require_expiration,
            max_lifetime: self.max_lifetime.map(|Span(span)| span),
        };
        (expectations, self.algorithms.0)
    }
}

/// Accepted algorithms.
#[derive(Debug)]
pub(super) struct Algorithms(Vec<Algorithm>);

impl Default for Algorithms {
    fn default() -> Self {
        Self(Algorithm::ASYMMETRIC.to_vec())
    }
}

impl Shape for Algorithms {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let listed = listed(value, at, "leave it out for every asymmetric algorithm")?;
        Some(Self(listed))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Algorithm::described().in_list().not_empty()
    }
}

impl Shape for Algorithm {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let name = at.written_text(value)?;
        let algorithm = Self::named(&name);
        if algorithm.is_none() {
            let names = Self::ALL.map(Self::name);
            // `ES256K` is an algorithm of its own, not a misspelt `ES256`.
            let is_another = names.iter().any(|known| name.starts_with(known));
            let problem = at.wrong(&name, "is not an algorithm claimgate verifies");
            if is_another { problem.one_of(&names) } else { problem.suggest(&name, &names) }
        }
        algorithm
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::words(&[&Self::ALL.map(Self::name)[..], &["Ed25519"]].concat())
    }
}

impl Shape for Types {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let types: Vec<Text> = listed(value, at, "leave it out for any bearer token")?;
        Some(Self::listed(types.iter().map(|Text(kind)| kind.as_str())))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Text::described().in_list().not_empty()
    }
}

impl Shape for Audience {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.some_text(value)?;
        let audience = Self::parse(written.clone());
        if audience.is_none() {
            at.wrong(&written, "is empty without its scheme and slash").help("write the `aud` of the tokens");
        }
        audience
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::some_text()
    }
}

/// A list of what is accepted, with something in it.
fn listed<T: Shape>(value: Value, at: &mut At<'_>, help: &str) -> Option<Vec<T>> {
    if value.as_array().is_some_and(Vec::is_empty) {
        at.error("it lists nothing, so no token could pass").help(help);
        return None;
    }
    Vec::read(value, at)
}
