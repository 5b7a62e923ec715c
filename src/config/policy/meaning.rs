//! What is well written and may not mean what its author thinks.

use std::cell::Cell;

use super::{AuthorizationPolicy, Context, scalar::Scalar};
use crate::{
    config::{at::At, problem::shown},
    policy::{
        attribute::Attribute,
        principal::PrincipalPattern,
        trust_domain::{POINTER, is_of_pointer},
        value::Value,
    },
};

/// Warnings that are given once for a configuration, however many values they are true of.
#[derive(Default)]
pub(super) struct Warned {
    no_rules: Cell<bool>,
    trust_domain: Cell<bool>,
    source_address: Cell<bool>,
}

impl Context {
    /// Warns of a value of an attribute.
    #[cold]
    pub(super) fn report(&self, at: &mut At<'_>, attribute: &Attribute, text: &str, values: &[Value]) {
        match attribute {
            Attribute::Principal => self.report_trust_domain(at, text),
            Attribute::TrustDomain if text == POINTER && !self.has_trust_domain(text) => {
                at.warn("`cluster.local` is compared literally here, and no peer of the mesh has it")
                    .help("write the mesh's `trustDomain`, which stands for its aliases too");
            }
            Attribute::SourceIp if !self.names_source_address && !self.warned.source_address.replace(true) => {
                at.warn("where a listener reads the PROXY protocol, this is the address in its header").help(
                    "write `sourceAddress: connection` at the top if no such listener is in front, or `filterState`",
                );
            }
            Attribute::Namespace if text.contains('/') => at
                .warn(format!("{} has a slash, which no namespace has", shown(text)))
                .help("write the namespace alone, or `<namespace>/<name>` in `serviceAccounts`"),
            Attribute::RequestPrincipal => {
                for value in values {
                    if let Value::Principal(pattern) = value {
                        self.report_issuer(at, text, pattern);
                    }
                }
            }
            _ => (),
        }
    }

    /// Whether the mesh has this trust domain, as far as that is written.
    fn has_trust_domain(&self, name: &str) -> bool {
        self.trust_domains.as_ref().is_none_or(|known| known.has(name))
    }

    fn report_trust_domain(&self, at: &mut At<'_>, text: &str) {
        match &self.trust_domains {
            None if is_of_pointer(text) && !self.warned.trust_domain.replace(true) => at
                .warn(
                    "`cluster.local` is compared literally, but in Istio it is the mesh's trust domain and its aliases",
                )
                .help("write `trustDomain` and `trustDomainAliases` at the top, as in MeshConfig"),
            Some(known) if known.is_partial(text) => {
                at.warn(format!("{} is compared literally, also for aliases of the trust domain", shown(text))).help(
                    "only `<trust domain>/ns/<namespace>/sa/<account>` is for aliases too; `*` at the start is for any",
                )
            }
            _ => (),
        }
    }

    fn report_issuer(&self, at: &mut At<'_>, text: &str, pattern: &PrincipalPattern) {
        if self.takes_any_issuer || pattern.may_be_of(&self.issuers) {
            return;
        }
        if self.issuers.is_empty() {
            if !self.warned.no_rules.replace(true) {
                at.warn("without `jwtRules` no token is verified, so none matches")
                    .help("write a rule with the `issuer` of the tokens");
            }
            return;
        }
        let issuer = pattern.issuer().map_or_else(|| shown(text), shown);
        let is_close = |named: &&String| pattern.issuer().is_some_and(|issuer| named.trim_end_matches('/') == issuer);
        let help = match self.issuers.iter().find(is_close) {
            Some(issuer) => format!("the issuer ends in a slash, so write `{issuer}/<sub>`"),
            None => "write `<iss>/<sub>` as the tokens have them".to_owned(),
        };
        at.warn(format!("no rule of `jwtRules` is for the issuer {issuer}, so no token matches")).help(help);
    }
}

/// Warns of policies that logs and metrics can't tell apart.
#[cold]
pub(super) fn report_same_names(at: &mut At<'_>, policies: &[AuthorizationPolicy]) {
    let mut known: Vec<(&str, &str)> = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let Some(name) = policy.name.as_deref() else { continue };
        let names = (policy.namespace.as_deref().unwrap_or_default(), name);
        match known.binary_search(&names) {
            Err(place) => known.insert(place, names),
            Ok(_) => at
                .index(index)
                .field("name")
                .warn(format!("another policy before it is also called {}", shown(name)))
                .help("logs and metrics tell policies apart by namespace and name"),
        }
    }
}

/// Warns if every value is also among those that may not be.
#[cold]
pub(super) fn report_nothing_left(at: &mut At<'_>, any: &[Scalar], none: &[Scalar], negated: &str) {
    if !any.is_empty() && any.iter().all(|value| none.contains(value)) {
        at.warn(format!("every value is also in `{negated}`, so nothing matches"));
    }
}
