//! Who sends (Istio's `source`): the peer by its certificate and address, the user by the token.

use ipnet::IpNet;

use super::{
    facts::{Assume, Facts},
    test::{PrincipalPattern, ServiceAccount, Values},
};
use crate::matching::pattern::Pattern;

/// One `source`: all of its fields must hold.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The peer's SPIFFE ID without the scheme.
    pub principals: Values<Pattern>,
    /// The token's `<iss>/<sub>`.
    pub request_principals: Values<PrincipalPattern>,
    /// The peer's namespace.
    pub namespaces: Values<Pattern>,
    /// The peer's service account.
    pub service_accounts: Values<ServiceAccount>,
    /// The peer's trust domain.
    pub trust_domains: Values<Pattern>,
    /// Who opened the connection.
    pub ip_blocks: Values<IpNet>,
    /// Who sent the request.
    pub remote_ip_blocks: Values<IpNet>,
}

impl Source {
    /// Whether the request comes from here.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.token_matches(facts) && self.peer_matches(facts) && self.address_matches(facts)
    }

    /// Whether the source asks anything of the token.
    pub fn asks_identity(&self) -> bool {
        !self.request_principals.is_empty()
    }

    fn token_matches(&self, facts: &Facts<'_>) -> bool {
        match facts.assume {
            Assume::Identity => true,
            Assume::Anonymous => !self.asks_identity(),
            _ => self.request_principals.hold(|pattern| request_principal(pattern, facts)),
        }
    }

    fn peer_matches(&self, facts: &Facts<'_>) -> bool {
        self.principals.hold(|pattern| facts.peer().is_some_and(|peer| pattern.matches(peer.principal())))
            && self.trust_domains.hold(|pattern| facts.peer().is_some_and(|peer| pattern.matches(peer.trust_domain())))
            && self.namespaces.hold(|pattern| namespace(pattern, facts))
            && self.service_accounts.hold(|account| service_account(account, facts))
    }

    fn address_matches(&self, facts: &Facts<'_>) -> bool {
        (self.ip_blocks.is_empty() || facts.is_within(&self.ip_blocks, facts.source_ip()))
            && (self.remote_ip_blocks.is_empty() || facts.is_within(&self.remote_ip_blocks, facts.remote_ip()))
    }
}

/// Whether the token's `<iss>/<sub>` matches.
pub(super) fn request_principal(pattern: &PrincipalPattern, facts: &Facts<'_>) -> bool {
    facts.claims.is_some_and(|claims| pattern.matches(claims.issuer(), claims.subject()))
}

/// Whether the peer's namespace matches.
pub(super) fn namespace(pattern: &Pattern, facts: &Facts<'_>) -> bool {
    facts.peer().and_then(|peer| peer.namespace()).is_some_and(|namespace| pattern.matches(namespace))
}

/// Whether the peer runs as this service account.
pub(super) fn service_account(account: &ServiceAccount, facts: &Facts<'_>) -> bool {
    facts.peer().is_some_and(|peer| {
        peer.namespace() == Some(&account.namespace) && peer.service_account() == Some(&account.name)
    })
}
