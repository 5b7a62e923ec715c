//! `authorizationPolicies`: what is written becomes rules, or a problem; nothing is dropped in silence.
//!
//! The parts are not inlined into each other: no request waits for them, and copies would make up a hundredth of the module.

mod meaning;
mod selection;
mod value;

use serde_json::Value as Json;

use super::{At, matching, shown, when};
use crate::{
    config::{
        jwt_rule::JwtRule,
        mesh::Mesh,
        wire::{self, AuthorizationPolicy, Pair, Scalar},
    },
    matching::path::PathPattern,
    policy::{
        Action, Policies, Policy, Settings,
        attribute::Attribute,
        matcher::Matcher,
        rule::{Operation, Rule},
        trust_domain::TrustDomains,
        value::Reader,
    },
    reply::Style,
};
use meaning::Said;
pub(super) use meaning::report_nothing_left;
pub(super) use value::each_value;

/// What a policy's meaning hangs on outside of it.
pub(in crate::config) struct Context {
    /// The issuers that rules name.
    issuers: Vec<String>,
    /// Whether some rule takes other issuers too.
    takes_any_issuer: bool,
    trust_domains: Option<TrustDomains>,
    settings: Settings,
    /// Whether `sourceAddress` is written.
    says_source_address: bool,
    said: Said,
}

/// One rule's surroundings.
pub(super) struct Scope<'c> {
    pub(super) context: &'c Context,
    pub(super) reader: Reader<'c>,
    action: Action,
    /// Whether nothing but a request with a token can match.
    pub(super) needs_token: bool,
}

impl Context {
    /// What stands beside the policies.
    pub(in crate::config) fn read(at: &mut At<'_>, mut mesh: Mesh, rules: &[JwtRule], style: Style) -> Self {
        Self {
            issuers: rules.iter().filter_map(JwtRule::issuer).map(str::to_owned).collect(),
            takes_any_issuer: rules.iter().any(|rule| rule.issuer().is_none()),
            trust_domains: mesh.trust_domains(at),
            settings: Settings {
                text_only: style == Style::Istio,
                source_address: mesh.source_address.value.unwrap_or_default(),
                path_normalization: mesh.path_normalization,
            },
            says_source_address: mesh.source_address.is_written,
            said: Said::default(),
        }
    }
}

pub(in crate::config) fn policies(
    at: &mut At<'_>,
    written: Option<Vec<AuthorizationPolicy>>,
    context: &Context,
) -> Policies {
    let written = written.unwrap_or_default();
    let mut at = at.field("authorizationPolicies");
    meaning::report_twins(&mut at, &written);
    selection::report(&mut at, &written);
    let policies = written.into_iter().enumerate();
    let policies = policies.filter_map(|(index, written)| policy(&mut at.index(index), written, context)).collect();
    Policies::new(policies, context.settings)
}

#[inline(never)]
fn policy(at: &mut At<'_>, written: AuthorizationPolicy, context: &Context) -> Option<Policy> {
    let words = [
        ("ALLOW", Some(Action::Allow)),
        ("DENY", Some(Action::Deny)),
        ("AUDIT", Some(Action::Audit)),
        ("CUSTOM", None),
    ];
    let word = written.action.as_ref().map(|action| at.field("action").word(action, &words));
    if word == Some(Some(None)) {
        let mut at = at.field("action");
        let problem = at.problem("`CUSTOM` asks another service, which claimgate does not");
        at.report(problem.help("keep it in Istio, or say in `ALLOW` and `DENY` what the service decides"));
    } else if written.provider.is_some() {
        let mut at = at.field("provider");
        at.report(at.problem("it belongs to `CUSTOM` policies, which claimgate does not have"));
    }
    let action = word.flatten().flatten().unwrap_or(Action::Allow);
    let rules = written.rules.unwrap_or_default();
    if rules.is_empty() && word == Some(Some(Some(action))) && action != Action::Allow {
        let mut at = at.field("rules");
        let problem = at.problem(format!("`{action}` without rules never matches"));
        let problem = problem.help("write `[{}]` for every request, or leave the policy out");
        at.report(if action == Action::Audit { problem.warning() } else { problem });
    }
    let namespace = written.namespace.unwrap_or_default();
    let place = format!("ns[{namespace}]-policy[{}]", written.name.unwrap_or_default());
    let reader = Reader {
        namespace: &namespace,
        issuers: &context.issuers,
        trust_domains: context.trust_domains.as_ref(),
        text_only: context.settings.text_only,
    };
    let mut at = at.field("rules");
    let rules = rules.into_iter().enumerate().map(|(index, written)| {
        let needs_token = meaning::needs_token(&written);
        let scope = Scope { context, reader, action, needs_token };
        rule(&mut at.index(index), written, &place, &scope, index)
    });
    Some(Policy { action, is_dry_run: written.dry_run.unwrap_or(false), rules: rules.collect() })
}

#[inline(never)]
fn rule(at: &mut At<'_>, written: wire::Rule, place: &str, scope: &Scope<'_>, index: usize) -> Rule {
    let name = written.name.and_then(|name| at.field("name").text(name)).unwrap_or_else(|| index.to_string());
    report_empty_list(&mut at.field("from"), written.from.as_deref(), "anybody");
    report_empty_list(&mut at.field("to"), written.to.as_deref(), "anything");
    let from = at.field("from").each(written.from, |at, from| {
        let mut at = at.field("source");
        Some(source(&mut at, from.source.unwrap_or_default(), scope))
    });
    let to = at.field("to").each(written.to, |at, to| {
        let mut at = at.field("operation");
        Some(operation(&mut at, to.operation.unwrap_or_default(), scope))
    });
    let captures: Vec<&str> = to.iter().flat_map(|operation| &operation.paths).flat_map(PathPattern::names).collect();
    let when = at.field("when").each(written.when, |at, condition| when::condition(at, condition, scope, &captures));
    Rule { id: format!("{place}-rule[{name}]").into(), from, to, when }
}

/// Istio refuses it: it might mean all, or nothing.
fn report_empty_list<T>(at: &mut At<'_>, list: Option<&[T]>, absent: &str) {
    if list.is_some_and(<[T]>::is_empty) {
        at.report(at.problem("it is an empty list").help(format!("leave it out for {absent}")));
    }
}

/// Istio refuses an empty source or operation, for the same reason.
fn report_empty(at: &mut At<'_>, pairs: &[(String, Pair<Scalar>)]) {
    if !pairs.iter().any(|(_, pair)| pair.asks()) {
        at.report(at.problem("it asks nothing").help("name a field with values, or leave the whole out for anything"));
    }
}

#[inline(never)]
fn source(at: &mut At<'_>, written: wire::Source, scope: &Scope<'_>) -> Vec<Matcher> {
    if written.service_accounts.asks() && (written.principals.asks() || written.namespaces.asks()) {
        let mut at = at.field("serviceAccounts");
        let problem = at.problem("it can't stand beside `principals` or `namespaces`, or their `not…`");
        at.report(problem.help("write a source for each"));
    }
    let pairs = written.pairs();
    report_empty(at, &pairs);
    pairs.into_iter().filter_map(|(field, pair)| matcher(at, &field, pair, scope)).collect()
}

#[inline(never)]
fn operation(at: &mut At<'_>, written: wire::Operation, scope: &Scope<'_>) -> Operation {
    let pairs = written.pairs();
    report_empty(at, &pairs);
    let mut operation = Operation::default();
    for (field, pair) in pairs {
        if field == "paths" {
            operation.paths = at.field("paths").each(pair.any, |at, written| value::path(at, written, scope, true));
            operation.not_paths =
                at.field("notPaths").each(pair.none, |at, written| value::path(at, written, scope, false));
        } else {
            operation.others.extend(matcher(at, &field, pair, scope));
        }
    }
    operation
}

/// A field and its `not…`.
fn matcher(at: &mut At<'_>, field: &str, pair: Pair<Scalar>, scope: &Scope<'_>) -> Option<Matcher> {
    if !pair.asks() {
        return None;
    }
    let attribute = Attribute::of_field(field)?;
    let mut initial = field.chars();
    let negated = initial.next().map(|first| format!("not{}{}", first.to_ascii_uppercase(), initial.as_str()));
    let negated = negated.unwrap_or_default();
    report_nothing_left(&mut at.field(field), pair.any.as_deref(), pair.none.as_deref(), &negated);
    if pair.any.as_ref().is_none_or(Vec::is_empty) {
        scope.report_negative(&mut at.field(&negated), &attribute);
    }
    let any = each_value(&mut at.field(field), pair.any, &attribute, scope);
    let none = each_value(&mut at.field(&negated), pair.none, &attribute, scope);
    Some(Matcher::new(attribute, any, none))
}

impl Scope<'_> {
    /// A list of what may not be holds for a request without a token: under ALLOW everybody may leave the token out.
    pub(super) fn report_negative(&self, at: &mut At<'_>, attribute: &Attribute) {
        if self.action == Action::Allow && attribute.needs_token() && !self.needs_token {
            let problem = at.problem("a request without a token has no such value either, so this rule allows it");
            at.report(problem.help("add `from: [{source: {requestPrincipals: [\"*\"]}}]` to the rule").warning());
        }
    }

    /// Whether the policy lets requests pass.
    pub(super) fn is_allowing(&self) -> bool {
        self.action == Action::Allow
    }
}

/// `selector` or `targetRefs`, if one is written.
fn selected(policy: &AuthorizationPolicy) -> impl Iterator<Item = (&'static str, &Json)> {
    let fields = [("selector", &policy.selector), ("targetRefs", &policy.target_refs)];
    fields.into_iter().filter_map(|(field, written)| Some((field, written.as_ref()?)))
}
