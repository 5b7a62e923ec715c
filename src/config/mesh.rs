//! What the mesh and its proxies are set to, for policies.

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    shape::{Shape, Written, object, words},
};
use crate::{connection::SourceAddress, matching::path::PathNormalization, policy::trust_domain::TrustDomains};

object! {
    /// What policies depend on outside of them.
    pub struct Mesh:

    /// The mesh's trust domain (Istio's MeshConfig), for which `cluster.local` stands in principals. Default: principals are
    /// compared literally.
    pub trust_domain: Option<TrustDomain>,
    /// Other names of the trust domain (Istio's MeshConfig).
    pub trust_domain_aliases: Vec<TrustDomain>,
    /// Where `ipBlocks` and `source.ip` come from: Envoy's `connection`, or `filterState` alone. Default: filter state where there
    /// is one, otherwise the connection.
    pub source_address: Written<SourceAddress>,
    /// How the proxy normalizes paths, in Istio's words. It is about ALLOW rules only: DENY rules and `match` keep every reading.
    /// Default: unknown, so every reading counts.
    pub path_normalization: Option<PathNormalization>,
}

words!(SourceAddress: [("connection", SourceAddress::Connection), ("filterState", SourceAddress::FilterState)]);

words!(PathNormalization: [
    ("NONE", PathNormalization::None),
    ("BASE", PathNormalization::Base),
    ("MERGE_SLASHES", PathNormalization::MergeSlashes),
    ("DECODE_AND_MERGE_SLASHES", PathNormalization::DecodeAndMergeSlashes),
]);

impl Mesh {
    /// The trust domain with its aliases, if it is said.
    pub(super) fn trust_domains(&mut self, at: &mut At<'_>) -> Option<TrustDomains> {
        let aliases = std::mem::take(&mut self.trust_domain_aliases);
        if self.trust_domain.is_none() && !aliases.is_empty() {
            at.field("trustDomain").error("it is missing, and `trustDomainAliases` are other names for it");
        }
        let TrustDomain(trust_domain) = self.trust_domain.take()?;
        Some(TrustDomains::new(trust_domain, aliases.into_iter().map(|TrustDomain(alias)| alias)))
    }
}

/// The name of a trust domain.
#[derive(Debug)]
pub(super) struct TrustDomain(String);

impl Shape for TrustDomain {
    fn read(value: serde_json::Value, at: &mut At<'_>) -> Option<Self> {
        let domain = at.some_text(value)?;
        if domain.contains('/') {
            at.wrong(&domain, "is not a trust domain")
                .help("write it without `spiffe://` and without a path, as in `cluster.local`");
            return None;
        }
        Some(Self(domain))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern("^[^/]+$")
    }
}
