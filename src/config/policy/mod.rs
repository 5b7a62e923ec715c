//! `authorizationPolicies`: what is written becomes rules, or a problem; nothing is dropped in silence.
//!
//! The parts are not inlined into each other: no request waits for them, and copies would make up a hundredth of the module.

mod authorization_policy;
mod condition;
mod key;
mod meaning;
mod operation;
mod pair;
mod rule;
mod scalar;
mod selection;
mod source;
mod value;

use super::{at::At, debug::Debug, jwt_rule::JwtRule, mesh::Mesh};
use crate::{
    policy::{Policies, Settings, trust_domain::TrustDomains},
    reply::Style,
    request::HeaderName,
};
pub(super) use authorization_policy::AuthorizationPolicy;
use meaning::Warned;

/// What the meaning of a policy depends on outside of it.
pub(super) struct Context {
    /// The issuers that rules name.
    issuers: Vec<String>,
    /// Whether some rule takes other issuers too.
    takes_any_issuer: bool,
    trust_domains: Option<TrustDomains>,
    settings: Settings,
    /// Whether `sourceAddress` is written.
    names_source_address: bool,
    /// The headers that rules write from tokens.
    outputs: Vec<HeaderName>,
    /// The header that asks for a trace, which no policy sees.
    debug_header: Option<HeaderName>,
    warned: Warned,
}

impl Context {
    pub(super) fn read(
        at: &mut At<'_>,
        mut mesh: Mesh,
        rules: &[JwtRule],
        style: Style,
        debug: Option<&Debug>,
    ) -> Self {
        Self {
            issuers: rules.iter().filter_map(JwtRule::issuer).map(str::to_owned).collect(),
            takes_any_issuer: rules.iter().any(|rule| rule.issuer().is_none()),
            trust_domains: mesh.trust_domains(at),
            settings: Settings {
                text_only: style == Style::Istio,
                source_address: mesh.source_address.value.unwrap_or_default(),
                path_normalization: mesh.path_normalization,
            },
            names_source_address: mesh.source_address.is_written,
            outputs: rules.iter().flat_map(|rule| rule.outputs.headers()).cloned().collect(),
            debug_header: debug.map(|debug| debug.header.0.clone()),
            warned: Warned::default(),
        }
    }

    /// Whether a rule writes this very header.
    fn is_output(&self, name: &HeaderName) -> bool {
        self.outputs.iter().any(|output| output.as_str() == name.as_str())
    }
}

/// Every policy.
pub(super) fn policies(at: &mut At<'_>, written: Option<Vec<AuthorizationPolicy>>, context: &Context) -> Policies {
    let written = written.unwrap_or_default();
    let mut at = at.field("authorizationPolicies");
    meaning::report_same_names(&mut at, &written);
    selection::report(&mut at, &written);
    let policies = at.each(written, |at, written| Some(written.checked(at, context)));
    Policies::new(policies, context.settings)
}
