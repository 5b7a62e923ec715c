//! The algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1 that claimgate verifies, by their registered names.

/// The signature algorithms of RFC 7518 and RFC 8037 that claimgate verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    /// Every algorithm, asymmetric ones first.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// Those whose keys may be published: the first ones.
    pub const ASYMMETRIC: &'static [Self] = Self::ALL.split_at(10).0;

    /// The algorithm of this registered name; names are case-sensitive (RFC 7515 section 4.1.1). `Ed25519` is what RFC
    /// 9864 calls the one kind of `EdDSA` there is here.
    pub fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether signer and verifier share one secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asymmetric_is_symmetric() {
        let (asymmetric, rest) = Algorithm::ALL.split_at(Algorithm::ASYMMETRIC.len());
        assert!(asymmetric.iter().all(|algorithm| !algorithm.is_symmetric()));
        assert!(rest.iter().all(|algorithm| algorithm.is_symmetric()));
    }
}
