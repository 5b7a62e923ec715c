//! The whole configuration.

use super::{
    Config,
    at::At,
    cors::Cors,
    debug::Debug,
    decision_log::DecisionLog,
    errors::{self, Errors},
    jwt_rule::{self, JwtRule},
    limits::Limits,
    mesh::Mesh,
    policy::{self, AuthorizationPolicy},
    shape::{object, words},
};
use crate::{
    authenticate::provider::{Presence, Provider},
    crypto::HostCrypto,
    policy::Policies,
};

object! {
    /// The whole configuration.
    pub struct Document:

    /// Issuers whose tokens are trusted, as in Istio's `RequestAuthentication`. Default: required, unless there are policies.
    pub jwt_rules: Option<Vec<JwtRule>>,
    /// Policies for requests, as in Istio's `AuthorizationPolicy`. Default: everything passes.
    pub authorization_policies: Option<Vec<AuthorizationPolicy>>,
    /// The reply to a denied request.
    pub errors: Option<Errors>,
    /// The origins whose pages may read denials, with `errors.cors`, as in Istio's `CorsPolicy`.
    pub cors: Option<Cors>,
    /// A header that returns the trace of a decision to clients with a secret. Default: no trace.
    pub debug: Option<Debug>,
    /// Whether Envoy verifies RS and ES signatures (`auto`: what it verifies correctly), or only the module.
    pub host_crypto: HostCrypto = HostCrypto::Auto,
    ..limits: Limits,
    ..decision_log: DecisionLog,
    ..mesh: Mesh,
}

words!(HostCrypto: [("auto", HostCrypto::Auto), ("off", HostCrypto::Off)]);

/// The configuration, to be used only if no error was reported.
pub(super) fn config(at: &mut At<'_>, written: Document) -> Config {
    report_nothing_written(at, &written);
    let errors = errors::errors(at, written.errors.unwrap_or_default(), written.cors);
    let rules = written.jwt_rules.unwrap_or_default();
    let context = policy::Context::read(at, written.mesh, &rules, errors.style, written.debug.as_ref());
    let policies = policy::policies(at, written.authorization_policies, &context);
    let (providers, sources) = jwt_rule::providers(&mut at.field("jwtRules"), rules, errors.style);
    let debug = written.debug.and_then(|written| written.checked(&mut at.field("debug"), &providers));
    if !at.has_errors() {
        report_what_is_open(at, &providers, &policies);
    }
    Config {
        providers,
        sources,
        max_waiting_requests: written.limits.max_waiting_requests.0,
        policies,
        errors,
        log_subjects: written.decision_log.log_subjects,
        filter_state: written.decision_log.filter_state,
        debug,
        bypass_cors_preflight: written.limits.bypass_cors_preflight,
        max_token_bytes: written.limits.max_token_bytes.0,
        host_crypto: written.host_crypto,
    }
}

/// Nothing written is a mistake. A list that is explicitly empty is not rejected: the proxy would keep the last configuration,
/// and with it the issuer that was just removed.
fn report_nothing_written(at: &mut At<'_>, written: &Document) {
    let sentence = "there is no rule and no policy, so every request passes";
    let help = "add a rule with `issuer` and `jwks`";
    match (&written.jwt_rules, &written.authorization_policies) {
        (None, None) => at.field("jwtRules").error(sentence).help(help),
        (rules, policies)
            if rules.as_ref().is_none_or(Vec::is_empty) && policies.as_ref().is_none_or(Vec::is_empty) =>
        {
            at.field("jwtRules").warn(sentence).help(help);
        }
        _ => (),
    }
}

/// What is accepted and opens more than it seems to: `OPTIONAL` and any audience are the defaults.
fn report_what_is_open(at: &mut At<'_>, providers: &[Provider], policies: &Policies) {
    let mut at = at.field("jwtRules");
    for provider in providers.iter().filter(|provider| provider.expectations.audiences.is_empty()) {
        at.index(provider.index.0)
            .field("audiences")
            .warn("no audience is listed, so a token for another service is accepted too")
            .help("list the `aud` of your tokens");
    }
    let is_optional = |provider: &Provider| provider.presence == Presence::Optional;
    let is_open = policies.allow_by_default() && !policies.need_token() && providers.iter().all(is_optional);
    if is_open && !providers.is_empty() {
        at.warn("no rule requires a token and no policy asks for one, so requests without a token pass")
            .help("write `presence: REQUIRED`, or a policy with `requestPrincipals`");
    }
}
