//! The whole configuration.

use super::{
    Config,
    at::At,
    build::policies,
    cors::Cors,
    debug::Debug,
    decision_log::DecisionLog,
    errors::{self, Errors},
    jwt_rule::{self, JwtRule},
    limits::Limits,
    shape::object,
    wire::AuthorizationPolicy,
};
use crate::{
    authenticate::provider::{Presence, Provider},
    policy::Policies,
};

object! {
    /// The whole configuration.
    pub struct Document:

    /// Whose tokens are trusted, as in Istio's `RequestAuthentication`.
    pub jwt_rules: Option<Vec<JwtRule>>,
    /// Who may do what, as in Istio's `AuthorizationPolicy`. Default: everything passes.
    pub authorization_policies: Option<Vec<AuthorizationPolicy>>,
    /// How denials are worded.
    pub errors: Option<Errors>,
    /// Whose pages a browser lets read denials, with `errors.cors`, as in Istio's `CorsPolicy`.
    pub cors: Option<Cors>,
    /// Who is told how a request was decided. Default: no one.
    pub debug: Option<Debug>,
    ..limits: Limits,
    ..decision_log: DecisionLog,
}

/// The configuration, to be used only if no error was reported.
pub(super) fn config(at: &mut At<'_>, written: Document) -> Config {
    report_openness(at, &written);
    let policies = policies::policies(&mut at.field("authorizationPolicies"), written.authorization_policies);
    let errors = errors::errors(at, written.errors.unwrap_or_default(), written.cors);
    let rules = written.jwt_rules.unwrap_or_default();
    let (providers, sources) = jwt_rule::providers(&mut at.field("jwtRules"), rules, errors.style);
    report_no_token_wanted(at, &providers, &policies);
    let debug = written.debug.and_then(|written| written.checked(&mut at.field("debug"), &providers));
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
    }
}

/// Nothing written is a mistake. A list that is explicitly empty is not refused: the proxy would keep the last configuration,
/// and with it the issuer that was just removed.
fn report_openness(at: &mut At<'_>, written: &Document) {
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

/// `OPTIONAL` is the default, and alone it refuses only bad tokens. Not said where what was written could not be read.
fn report_no_token_wanted(at: &mut At<'_>, providers: &[Provider], policies: &Policies) {
    let is_optional = |provider: &Provider| provider.presence == Presence::Optional;
    let is_open = policies.allow.is_none() && !policies.ask_identity() && providers.iter().all(is_optional);
    if is_open && !providers.is_empty() && !at.has_errors() {
        at.field("jwtRules")
            .warn("no rule requires a token and no policy asks for one, so everybody passes without any")
            .help("write `presence: REQUIRED`, or a policy with `requestPrincipals`");
    }
}
