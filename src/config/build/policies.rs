//! `authorizationPolicies`: what is written becomes rules, or a problem; nothing is dropped in silence.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{At, Problem, matching, shown, when};
use crate::{
    config::wire::{self, AuthorizationPolicy, Scalar},
    matching::{path::PathPattern, pattern::Pattern},
    policy::{
        Policies, RuleSet,
        operation::Operation,
        rule::Rule,
        source::Source,
        test::{PrincipalPattern, ServiceAccount, Values},
    },
};

/// What a policy does with a request that matches.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Action {
    Allow,
    Deny,
    Audit,
    Custom,
}

pub(in crate::config) fn policies(at: &mut At<'_>, written: Option<Vec<AuthorizationPolicy>>) -> Policies {
    let (mut deny, mut audit, mut dry_deny) = (Vec::new(), Vec::new(), Vec::new());
    let (mut allow, mut dry_allow): (Option<Vec<Rule>>, Option<Vec<Rule>>) = (None, None);
    for (index, policy) in written.unwrap_or_default().into_iter().enumerate() {
        let mut at = at.index(index);
        let actions =
            [("ALLOW", Action::Allow), ("DENY", Action::Deny), ("AUDIT", Action::Audit), ("CUSTOM", Action::Custom)];
        let action = policy.action.as_ref().and_then(|action| at.field("action").word(action, &actions));
        let is_dry = policy.dry_run.unwrap_or(false);
        let rules = self::rules(&mut at, policy);
        match (action.unwrap_or(Action::Allow), is_dry) {
            (Action::Allow, false) => allow.get_or_insert_default().extend(rules),
            (Action::Allow, true) => dry_allow.get_or_insert_default().extend(rules),
            (Action::Deny, false) => deny.extend(rules),
            (Action::Deny, true) => dry_deny.extend(rules),
            (Action::Audit, _) => audit.extend(rules),
            (Action::Custom, _) => {
                let mut at = at.field("action");
                let problem = at.problem("`CUSTOM` asks another service, which claimgate does not");
                at.report(problem.help("keep it in Istio, or say in `ALLOW` and `DENY` what the service decides"));
            }
        }
    }
    Policies {
        deny: RuleSet::new(deny),
        allow: allow.map(RuleSet::new),
        audit: RuleSet::new(audit),
        dry_deny: RuleSet::new(dry_deny),
        dry_allow: dry_allow.map(RuleSet::new),
    }
}

fn rules(at: &mut At<'_>, policy: AuthorizationPolicy) -> Vec<Rule> {
    for (field, is_written) in [("selector", policy.selector.is_some()), ("targetRefs", policy.target_refs.is_some())] {
        if is_written {
            let problem = at.field(field).problem("it is not read: the policy is for the proxy this filter runs in");
            at.report(problem.warning());
        }
    }
    if policy.provider.is_some() {
        let mut at = at.field("provider");
        at.report(at.problem("it belongs to `CUSTOM` policies, which claimgate does not have"));
    }
    let namespace = policy.namespace.unwrap_or_default();
    let place = format!("ns[{namespace}]-policy[{}]", policy.name.unwrap_or_default());
    let mut at = at.field("rules");
    policy
        .rules
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(index, written)| rule(&mut at.index(index), written, &place, &namespace, index))
        .collect()
}

fn rule(at: &mut At<'_>, written: wire::Rule, place: &str, namespace: &str, index: usize) -> Rule {
    let name = written.name.and_then(|name| at.field("name").text(name)).unwrap_or_else(|| index.to_string());
    let from = at.field("from").each(written.from, |at, from| {
        let mut at = at.field("source");
        Some(source(&mut at, from.source.unwrap_or_default(), namespace))
    });
    let to = at.field("to").each(written.to, |at, to| {
        let mut at = at.field("operation");
        Some(operation(&mut at, to.operation.unwrap_or_default()))
    });
    let captures: Vec<&str> =
        to.iter().flat_map(|operation| &operation.paths.any).flat_map(PathPattern::names).collect();
    let when =
        at.field("when").each(written.when, |at, condition| when::condition(at, condition, namespace, &captures));
    Rule { id: format!("{place}-rule[{name}]").into(), from, to, when }
}

fn source(at: &mut At<'_>, written: wire::Source, namespace: &str) -> Source {
    let has_accounts = written.service_accounts.is_some() || written.not_service_accounts.is_some();
    if has_accounts && (written.principals.is_some() || written.namespaces.is_some()) {
        let mut at = at.field("serviceAccounts");
        at.report(at.problem("it can't stand beside `principals` or `namespaces`").help("write a source for each"));
    }
    report_empty(at, written.asks());
    Source {
        principals: values(at, "principals", written.principals, written.not_principals, peer_principal),
        request_principals: values(
            at,
            "requestPrincipals",
            written.request_principals,
            written.not_request_principals,
            request_principal,
        ),
        namespaces: values(at, "namespaces", written.namespaces, written.not_namespaces, |at, text| pattern(at, &text)),
        service_accounts: values(
            at,
            "serviceAccounts",
            written.service_accounts,
            written.not_service_accounts,
            |at, text| service_account(at, &text, namespace),
        ),
        trust_domains: values(at, "trustDomains", written.trust_domains, written.not_trust_domains, |at, text| {
            pattern(at, &text)
        }),
        ip_blocks: values(at, "ipBlocks", written.ip_blocks, written.not_ip_blocks, ip_block),
        remote_ip_blocks: values(
            at,
            "remoteIpBlocks",
            written.remote_ip_blocks,
            written.not_remote_ip_blocks,
            ip_block,
        ),
    }
}

/// A method that never matches is only worth a warning here: Istio takes it.
fn operation(at: &mut At<'_>, written: wire::Operation) -> Operation {
    report_empty(at, written.asks());
    Operation {
        hosts: values(at, "hosts", written.hosts, written.not_hosts, |at, text| {
            matching::no_host(at, &text).into_iter().for_each(|problem| at.report(problem));
            pattern(at, &text.to_ascii_lowercase())
        }),
        ports: values(at, "ports", written.ports, written.not_ports, port),
        methods: values(at, "methods", written.methods, written.not_methods, |at, text| {
            matching::no_method(at, &text).into_iter().for_each(|problem| at.report(problem.warning()));
            pattern(at, &text)
        }),
        paths: values(at, "paths", written.paths, written.not_paths, path),
    }
}

/// Istio refuses an empty source or operation, for nobody knows whether it means all or nothing.
fn report_empty(at: &mut At<'_>, asks: bool) {
    if !asks {
        at.report(at.problem("it asks nothing").help("name a field with values, or leave the whole out for anything"));
    }
}

/// A field and its `not…`.
pub(super) fn values<W, T>(
    at: &mut At<'_>,
    field: &str,
    any: Option<Vec<W>>,
    none: Option<Vec<W>>,
    mut read: impl FnMut(&mut At<'_>, W) -> Option<T>,
) -> Values<T> {
    let mut initial = field.chars();
    let negated = initial.next().map(|first| format!("not{}{}", first.to_ascii_uppercase(), initial.as_str()));
    Values {
        any: at.field(field).each(any, &mut read),
        none: at.field(&negated.unwrap_or_default()).each(none, &mut read),
    }
}

pub(super) fn peer_principal(at: &mut At<'_>, text: String) -> Option<Pattern> {
    if let Some(bare) = text.strip_prefix("spiffe://") {
        let problem = at.problem(format!("{} never matches: Istio leaves `spiffe://` out", shown(&text)));
        at.report(problem.help(format!("write {}", shown(bare))));
        return None;
    }
    pattern(at, &text)
}

pub(super) fn request_principal(at: &mut At<'_>, text: String) -> Option<PrincipalPattern> {
    let pattern = PrincipalPattern::parse(&text);
    report_stars(at, &text, pattern.as_ref().map(PrincipalPattern::has_literal_star));
    pattern
}

fn path(at: &mut At<'_>, text: String) -> Option<PathPattern> {
    let pattern = matching::path_pattern(at, &text, PathPattern::lenient)?;
    report_stars(at, &text, Some(pattern.has_literal_star()));
    Some(pattern)
}

/// A pattern as istiod reads it; a `*` that is no wildcard is worth a warning.
pub(super) fn pattern(at: &mut At<'_>, text: &str) -> Option<Pattern> {
    let pattern = Pattern::lenient(text);
    report_stars(at, text, pattern.as_ref().map(Pattern::has_literal_star));
    pattern
}

fn report_stars(at: &mut At<'_>, text: &str, has_literal_star: Option<bool>) {
    match has_literal_star {
        None => at.report(at.problem("it is empty").help("write `*` for anything")),
        Some(true) => {
            let problem = at.problem(format!("a `*` in {} stands for itself", shown(text)));
            at.report(problem.help("only one at the start or at the end is a wildcard").warning());
        }
        Some(false) => (),
    }
}

pub(super) fn service_account(at: &mut At<'_>, text: &str, namespace: &str) -> Option<ServiceAccount> {
    let (namespace, name) = text.split_once('/').unwrap_or((namespace, text));
    let is_sound = !namespace.is_empty() && !name.is_empty() && !text.contains('*') && !name.contains('/');
    if !is_sound {
        let problem = at.problem(format!("{} is not a service account", shown(text)));
        at.report(problem.help("write `<namespace>/<name>`, or `<name>` in a policy with a `namespace`"));
    }
    is_sound.then(|| ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
}

pub(super) fn ip_block(at: &mut At<'_>, text: String) -> Option<IpNet> {
    let block = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    if block.is_none() {
        let problem = at.problem(format!("{} is not an address or a block of addresses", shown(&text)));
        at.report(problem.help("write `10.1.2.3` or `10.1.0.0/16`"));
    }
    block
}

pub(super) fn port(at: &mut At<'_>, written: Scalar) -> Option<u16> {
    let text = scalar(at, written)?;
    let port = text.parse().ok();
    if port.is_none() {
        let problem: Problem = at.problem(format!("{} is not a port", shown(&text)));
        at.report(problem.help("write a number from 0 to 65535"));
    }
    port
}

/// The text of a scalar. A number that a double can't hold is not the number that was written.
pub(super) fn scalar(at: &mut At<'_>, written: Scalar) -> Option<String> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Scalar::Number(number) = written
        && number.abs() >= EXACT
    {
        let problem = at.problem(format!("`{number}` is too large to be exact"));
        at.report(problem.help("write it in quotes"));
        return None;
    }
    Some(written.into_text())
}
