//! What is well written and may not mean what its author thinks.

use std::{cell::Cell, collections::HashSet};

use super::{At, AuthorizationPolicy, Context, Scalar, shown, wire};
use crate::policy::{attribute::Attribute, principal::PrincipalPattern, trust_domain::is_of_pointer, value::Value};

/// What is said once of a configuration, however many values it is true of.
#[derive(Default)]
pub(super) struct Said {
    rules: Cell<bool>,
    trust_domain: Cell<bool>,
    source_address: Cell<bool>,
}

impl Context {
    /// What is to be said about a value of an attribute.
    pub(super) fn report(&self, at: &mut At<'_>, attribute: &Attribute, text: &str, values: &[Value]) {
        match attribute {
            Attribute::Principal => self.report_trust_domain(at, text),
            Attribute::SourceIp if !self.says_source_address && !self.said.source_address.replace(true) => {
                let problem =
                    at.problem("behind the PROXY protocol this address is what somebody wrote into its header");
                let help =
                    "write `sourceAddress: connection` at the top if no such listener is in front, or `filterState`";
                at.report(problem.help(help).warning());
            }
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

    #[cold]
    fn report_trust_domain(&self, at: &mut At<'_>, text: &str) {
        let problem = match &self.trust_domains {
            None if is_of_pointer(text) && !self.said.trust_domain.replace(true) => at
                .problem("`cluster.local` is compared as it stands, and in Istio it is the mesh's trust domain and its aliases")
                .help("write `trustDomain` and `trustDomainAliases` at the top, as in MeshConfig"),
            Some(known) if known.is_partial(text) => at
                .problem(format!("{} is compared as it stands, also for aliases of the trust domain", shown(text)))
                .help("only `<trust domain>/ns/<namespace>/sa/<account>` is for aliases too; `*` at the start is for any"),
            _ => return,
        };
        at.report(problem.warning());
    }

    #[cold]
    fn report_issuer(&self, at: &mut At<'_>, text: &str, pattern: &PrincipalPattern) {
        if self.takes_any_issuer || pattern.may_be_of(&self.issuers) {
            return;
        }
        if self.issuers.is_empty() {
            if !self.said.rules.replace(true) {
                let problem = at.problem("without `jwtRules` no token is looked at, so none matches");
                at.report(problem.help("write a rule with the `issuer` of the tokens").warning());
            }
            return;
        }
        let issuer = pattern.issuer().map_or_else(|| shown(text), shown);
        let problem = at.problem(format!("no rule of `jwtRules` is for the issuer {issuer}, so no token matches"));
        let close = |named: &&String| pattern.issuer().is_some_and(|issuer| named.trim_end_matches('/') == issuer);
        let help = match self.issuers.iter().find(close) {
            Some(issuer) => format!("the issuer ends in a slash, so write `{issuer}/<sub>`"),
            None => "write `<iss>/<sub>` as the tokens have them".to_owned(),
        };
        at.report(problem.help(help).warning());
    }
}

/// Logs and metrics could not tell such policies apart.
#[cold]
pub(super) fn report_twins(at: &mut At<'_>, policies: &[AuthorizationPolicy]) {
    let mut known: HashSet<String> = HashSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let Some(name) = policy.name.as_deref() else { continue };
        let namespace = policy.namespace.as_deref().unwrap_or_default();
        if !known.insert([namespace, "/", name].concat()) {
            let mut at = at.index(index);
            let mut at = at.field("name");
            let problem = at.problem(format!("another policy before it is also called {}", shown(name)));
            at.report(problem.help("logs and metrics tell policies apart by namespace and name").warning());
        }
    }
}

/// Whether nothing but a request with a token can match a rule: every source or some condition asks for one.
pub(super) fn needs_token(rule: &wire::Rule) -> bool {
    let is_of_user = |source: &wire::Source| source.request_principals.any.as_ref().is_some_and(|any| !any.is_empty());
    let from = rule.from.as_deref().unwrap_or_default();
    let asks = |condition: &wire::Condition| {
        condition.key.as_ref().is_some_and(|key| key.starts_with("request.auth.")) && condition.is_positive()
    };
    !from.is_empty() && from.iter().all(|from| from.source.as_ref().is_some_and(is_of_user))
        || rule.when.iter().flatten().any(asks)
}

/// Values of which each is also among those that may not be.
#[cold]
pub(in crate::config::build) fn report_nothing_left(
    at: &mut At<'_>,
    any: Option<&[Scalar]>,
    none: Option<&[Scalar]>,
    negated: &str,
) {
    let (any, none) = (any.unwrap_or_default(), none.unwrap_or_default());
    if !any.is_empty() && any.iter().all(|value| none.contains(value)) {
        at.report(at.problem(format!("every value is also in `{negated}`, so nothing matches")).warning());
    }
}
