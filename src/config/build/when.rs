//! `when`: a key in Istio's words, and what its fact must be.

use super::{
    At,
    policies::{Scope, each_value, report_nothing_left},
    shown,
};
use crate::{
    config::{expression::expression, wire},
    policy::{
        attribute::{Attribute, NotAnAttribute},
        matcher::Matcher,
        value::{Origin, Value},
    },
};

/// A condition of a rule whose paths have these names.
#[inline(never)]
pub(super) fn condition(
    at: &mut At<'_>,
    written: wire::Condition,
    scope: &Scope<'_>,
    captures: &[&str],
) -> Option<Matcher> {
    let key = at.field("key").required(written.key.clone())?;
    if !written.asks() {
        at.report(at.problem("it asks nothing").help("write `values` or `notValues`"));
    }
    let attribute = attribute(&mut at.field("key"), &key, scope)?;
    report_unfit(at, &written, &attribute);
    if let (Some(values), Some(not_values), None, None) =
        (&written.values, &written.not_values, &written.matches, &written.values_from)
    {
        report_nothing_left(&mut at.field("values"), Some(values), Some(not_values), "notValues");
    }
    if !written.is_positive() && written.asks() {
        scope.report_negative(&mut at.field("notValues"), &attribute);
    }
    let mut any = each_value(&mut at.field("values"), written.values, &attribute, scope);
    any.extend(at.field("matches").each(written.matches, expression).into_iter().map(Value::Expression));
    let from = at.field("valuesFrom").each(written.values_from, |at, text| origin(at, &text, scope, captures));
    any.extend(from.into_iter().map(Value::Elsewhere));
    let none = each_value(&mut at.field("notValues"), written.not_values, &attribute, scope);
    let mut all = each_value(&mut at.field("allOf"), written.all_of, &attribute, scope);
    if written.min.is_some() || written.max.is_some() {
        all.push(Value::Range(written.min, written.max));
    }
    Some(Matcher::new(attribute, any, none).and(all))
}

/// The attribute of a key, or a problem.
fn attribute(at: &mut At<'_>, key: &str, scope: &Scope<'_>) -> Option<Attribute> {
    let reason = match Attribute::of_key(key, scope.reader.text_only) {
        Ok(attribute) => {
            if let Attribute::Claim(claim) = &attribute
                && claim.has_brackets()
            {
                let problem = at.problem(format!("the brackets of {} do not pair, so they name one claim", shown(key)));
                let help = "write `request.auth.claims[realm_access][roles]` for a claim in a claim";
                at.report(problem.help(help).warning());
            }
            return Some(attribute);
        }
        Err(reason) => reason,
    };
    let problem = match reason {
        NotAnAttribute::Header => {
            at.problem(format!("{} does not name a header", shown(key))).help("write `request.headers[x-tenant]`")
        }
        NotAnAttribute::Claim => at
            .problem(format!("{} does not name a claim", shown(key)))
            .help("write `request.auth.claims[groups]` or `request.auth.claims[realm_access][roles]`"),
        NotAnAttribute::Quoted => at
            .problem(format!("{} names a claim with quotes in its name", shown(key)))
            .help(format!("write `{}`", key.replace(['"', '\''], ""))),
        NotAnAttribute::Unknown if key.starts_with("experimental.") => at
            .problem(format!("{} is not a key", shown(key)))
            .help("claimgate does not read Envoy's metadata; use `request.auth.claims[…]` or `request.headers[…]`"),
        NotAnAttribute::Unknown => at.problem(format!("{} is not a key", shown(key))).suggest(key, &Attribute::KEYS),
    };
    at.report(problem);
    None
}

/// What the attribute can't be asked.
#[cold]
fn report_unfit(at: &mut At<'_>, written: &wire::Condition, attribute: &Attribute) {
    let is_claim = matches!(attribute, Attribute::Claim(_));
    for (field, is_written, is_for_text) in [
        ("matches", written.matches.is_some(), true),
        ("valuesFrom", written.values_from.is_some(), true),
        ("allOf", written.all_of.is_some(), false),
        ("min", written.min.is_some(), false),
        ("max", written.max.is_some(), false),
    ] {
        let mut at = at.field(field);
        if is_written && !attribute.is_text() {
            at.report(at.problem("this key has only `values` and `notValues`"));
        } else if is_written && !is_for_text && !is_claim {
            at.report(at.problem("only claims have numbers and lists").help("use it with `request.auth.claims[…]`"));
        }
    }
    if let (Some(min), Some(max)) = (written.min, written.max)
        && min > max
    {
        let mut at = at.field("max");
        at.report(at.problem(format!("`{max}` is less than `min`, so nothing could match")));
    }
}

fn origin(at: &mut At<'_>, text: &str, scope: &Scope<'_>, captures: &[&str]) -> Option<Origin> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if captures.contains(&name) {
            return Some(Origin::Capture(name.to_owned()));
        }
        let problem = at.problem(format!("no path of this rule has a segment {}", shown(text)));
        at.report(problem.help(format!("write it into `paths`, as in `/tenants/{text}/{{**}}`")));
        return None;
    }
    let attribute = attribute(at, text, scope)?;
    if !attribute.is_text() {
        let problem = at.problem(format!("{} has no text to compare with", shown(text)));
        at.report(
            problem.help(
                "use `request.auth.claims[…]`, `request.headers[…]`, `source.principal` or a `{name}` of `paths`",
            ),
        );
        return None;
    }
    Some(Origin::Attribute(attribute))
}
