//! `when`: a key in Istio's words, and what its fact must be.

use super::{
    At,
    policies::{ip_block, pattern, peer_principal, port, request_principal, scalar, service_account, values},
    shown,
};
use crate::{
    config::expression::expression,
    config::wire::{self, Scalar},
    matching::pattern::Pattern,
    policy::{
        condition::{Condition, Origin, Text, TextTest},
        test::Values,
    },
};

const KEYS: [&str; 14] = [
    "request.headers[…]",
    "request.auth.claims[…]",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "source.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "remote.ip",
    "destination.ip",
    "destination.port",
    "connection.sni",
];

/// A condition of a rule in this namespace, whose paths have these names.
pub(super) fn condition(
    at: &mut At<'_>,
    written: wire::Condition,
    namespace: &str,
    captures: &[&str],
) -> Option<Condition> {
    let key = at.field("key").required(written.key.clone())?;
    if !written.asks() {
        at.report(at.problem("it asks nothing").help("write `values` or `notValues`"));
    }
    if let Some(text) = text_key(&mut at.field("key"), &key)? {
        return Some(Condition::Text(text.clone(), text_test(at, &text, written, captures)));
    }
    report_only_values(at, &written);
    let (any, none) = (written.values, written.not_values);
    let text = |list: Option<Vec<Scalar>>| list.map(|list| list.into_iter().map(Scalar::into_text).collect::<Vec<_>>());
    Some(match key.as_str() {
        "source.ip" => Condition::SourceIp(values(at, "values", text(any), text(none), ip_block)),
        "remote.ip" => Condition::RemoteIp(values(at, "values", text(any), text(none), ip_block)),
        "destination.ip" => Condition::DestinationIp(values(at, "values", text(any), text(none), ip_block)),
        "destination.port" => Condition::DestinationPort(values(at, "values", any, none, port)),
        "source.namespace" => {
            Condition::SourceNamespace(values(at, "values", text(any), text(none), |at, text| pattern(at, &text)))
        }
        "source.serviceAccount" => {
            let accounts = |at: &mut At<'_>, text: String| service_account(at, &text, namespace);
            Condition::SourceServiceAccount(values(at, "values", text(any), text(none), accounts))
        }
        "request.auth.principal" => {
            Condition::RequestPrincipal(values(at, "values", text(any), text(none), request_principal))
        }
        _ => {
            report_unknown_key(&mut at.field("key"), &key);
            return None;
        }
    })
}

/// The key of a fact that is text; `None` for what is reported, `Some(None)` for other keys.
#[expect(clippy::option_option, reason = "three outcomes: a text, another kind, a problem")]
fn text_key(at: &mut At<'_>, key: &str) -> Option<Option<Text>> {
    if let Some(brackets) = key.strip_prefix("request.headers") {
        let name = brackets.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let sound = name.filter(|name| !name.is_empty() && !name.contains(['[', ']', ' ']));
        if sound.is_none() {
            let problem = at.problem(format!("{} does not name a header", shown(key)));
            at.report(problem.help("write `request.headers[x-tenant]`"));
        }
        // Envoy knows the host as `:authority`.
        let known = |name: &str| if name == "host" { ":authority".to_owned() } else { name.to_owned() };
        return sound.map(|name| Some(Text::Header(known(&name.to_ascii_lowercase()))));
    }
    if let Some(brackets) = key.strip_prefix("request.auth.claims") {
        let inside = brackets.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let Some(inside) = inside.filter(|inside| !inside.is_empty()) else {
            let problem = at.problem(format!("{} does not name a claim", shown(key)));
            let help = "write `request.auth.claims[groups]` or `request.auth.claims[realm_access][roles]`";
            at.report(problem.help(help));
            return None;
        };
        let steps: Vec<String> = inside.split("][").map(str::to_owned).collect();
        if steps.iter().all(|step| !step.is_empty() && !step.contains(['[', ']'])) {
            return Some(Some(Text::Claim(steps)));
        }
        let problem = at.problem(format!("the brackets do not pair, so {} is the name of one claim", shown(inside)));
        at.report(problem.help("write `request.auth.claims[realm_access][roles]` for a claim in a claim").warning());
        return Some(Some(Text::Claim(vec![inside.to_owned()])));
    }
    Some(match key {
        "request.auth.audiences" => Some(Text::Claim(vec!["aud".to_owned()])),
        "request.auth.presenter" => Some(Text::Claim(vec!["azp".to_owned()])),
        "source.principal" => Some(Text::SourcePrincipal),
        "source.trustDomain" => Some(Text::SourceTrustDomain),
        "connection.sni" => Some(Text::Sni),
        _ => None,
    })
}

fn text_test(at: &mut At<'_>, key: &Text, written: wire::Condition, captures: &[&str]) -> TextTest {
    let mut value = |at: &mut At<'_>, written: Scalar| -> Option<Pattern> {
        let text = scalar(at, written)?;
        if *key == Text::SourcePrincipal { peer_principal(at, text) } else { pattern(at, &text) }
    };
    let is_claim = matches!(key, Text::Claim(_));
    for (field, is_written) in
        [("min", written.min.is_some()), ("max", written.max.is_some()), ("allOf", written.all_of.is_some())]
    {
        if is_written && !is_claim {
            let mut at = at.field(field);
            at.report(at.problem("only claims have numbers and lists").help("use it with `request.auth.claims[…]`"));
        }
    }
    if let (Some(min), Some(max)) = (written.min, written.max)
        && min > max
    {
        let mut at = at.field("max");
        at.report(at.problem(format!("`{max}` is less than `min`, so nothing could match")));
    }
    TextTest {
        values: Values {
            any: at.field("values").each(written.values, &mut value),
            none: at.field("notValues").each(written.not_values, &mut value),
        },
        matches: at.field("matches").each(written.matches, expression),
        values_from: at.field("valuesFrom").each(written.values_from, |at, text| origin(at, &text, captures)),
        all_of: at.field("allOf").each(written.all_of, &mut value),
        min: written.min,
        max: written.max,
    }
}

fn origin(at: &mut At<'_>, text: &str, captures: &[&str]) -> Option<Origin> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if captures.contains(&name) {
            return Some(Origin::Capture(name.to_owned()));
        }
        let problem = at.problem(format!("no path of this rule has a segment {}", shown(text)));
        at.report(problem.help(format!("write it into `paths`, as in `/tenants/{text}/{{**}}`")));
        return None;
    }
    let key = text_key(at, text)?;
    if key.is_none() && KEYS.contains(&text) {
        let problem = at.problem(format!("{} has no text to compare with", shown(text)));
        at.report(
            problem.help(
                "use `request.auth.claims[…]`, `request.headers[…]`, `source.principal` or a `{name}` of `paths`",
            ),
        );
    } else if key.is_none() {
        report_unknown_key(at, text);
    }
    key.map(Origin::Key)
}

/// What Istio has for every key; the rest is for text.
fn report_only_values(at: &mut At<'_>, written: &wire::Condition) {
    for (field, is_written) in [
        ("matches", written.matches.is_some()),
        ("valuesFrom", written.values_from.is_some()),
        ("allOf", written.all_of.is_some()),
        ("min", written.min.is_some()),
        ("max", written.max.is_some()),
    ] {
        if is_written {
            let mut at = at.field(field);
            at.report(at.problem("this key has only `values` and `notValues`"));
        }
    }
}

fn report_unknown_key(at: &mut At<'_>, key: &str) {
    let problem = at.problem(format!("{} is not a key", shown(key)));
    at.report(if key.starts_with("experimental.") {
        problem.help("claimgate does not read Envoy's metadata; use `request.auth.claims[…]` or `request.headers[…]`")
    } else {
        problem.suggest(key, &KEYS)
    });
}
