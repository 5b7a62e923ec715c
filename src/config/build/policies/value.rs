//! One value of a rule, and what is wrong with it.

use super::{At, Scalar, Scope, matching, shown};
use crate::{
    matching::path::PathPattern,
    policy::{
        attribute::Attribute,
        value::{NotAValue, Value},
    },
};

/// Every value of a list.
pub(in crate::config::build) fn each_value(
    at: &mut At<'_>,
    written: Option<Vec<Scalar>>,
    attribute: &Attribute,
    scope: &Scope<'_>,
) -> Vec<Value> {
    at.each(written, |at, written| value(at, written, attribute, scope)).into_iter().flatten().collect()
}

fn value(at: &mut At<'_>, written: Scalar, attribute: &Attribute, scope: &Scope<'_>) -> Option<Vec<Value>> {
    let text = scalar(at, written)?;
    if *attribute == Attribute::Host {
        matching::no_host(at, &text).into_iter().for_each(|problem| at.report(problem));
    }
    let values = attribute.values(&text, &scope.reader).map_err(|reason| report(at, &text, reason)).ok()?;
    report_stars(at, &text, values.iter().any(Value::has_literal_star));
    scope.context.report(at, attribute, &text, &values);
    Some(values)
}

#[cold]
fn report(at: &mut At<'_>, text: &str, reason: NotAValue) {
    let not = |what: &str| at.problem(format!("{} is not {what}", shown(text)));
    let problem = match reason {
        NotAValue::Empty => at.problem("it is empty").help("write `*` for anything"),
        NotAValue::Block => not("an address or a block of addresses").help("write `10.1.2.3` or `10.1.0.0/16`"),
        NotAValue::Port => not("a port").help("write a number from 0 to 65535"),
        NotAValue::ServiceAccount => {
            not("a service account").help("write `<namespace>/<name>`, or `<name>` in a policy with a `namespace`")
        }
        NotAValue::Scheme(bare) => at
            .problem(format!("{} never matches: Istio leaves `spiffe://` out", shown(text)))
            .help(format!("write {}", shown(&bare))),
        NotAValue::Slash => at.problem(format!("{} has no slash, so no token matches", shown(text))).help(format!(
            "write {}, or {} for any issuer",
            shown(&format!("<issuer>/{text}")),
            shown(&format!("*/{text}"))
        )),
        NotAValue::Method => match matching::no_method(at, text) {
            Some(problem) => problem,
            None => not("a method"),
        },
    };
    at.report(problem);
}

pub(super) fn path(at: &mut At<'_>, written: Scalar, scope: &Scope<'_>, is_positive: bool) -> Option<PathPattern> {
    let text = scalar(at, written)?;
    if text.replace("{**}", "").contains("**") {
        let problem = at.problem(format!("the `**` in {} is no wildcard", shown(&text)));
        let problem = problem.help("write `{**}` for any number of segments, or `*` at the end for any rest");
        at.report(if scope.reader.text_only { problem.warning() } else { problem });
        return PathPattern::lenient(&text).ok();
    }
    let pattern = matching::path_pattern(at, &text, PathPattern::lenient)?;
    report_stars(at, &text, pattern.has_literal_star());
    let every_reading_counts = scope.context.settings.path_normalization.is_none();
    if scope.is_allowing() && is_positive && every_reading_counts && !pattern.is_readable() {
        let problem = at.problem(format!("no path matches {} in every reading, so it allows nothing", shown(&text)));
        at.report(problem.help("write the path as servers read it, or say `pathNormalization`").warning());
    }
    Some(pattern)
}

#[cold]
fn report_stars(at: &mut At<'_>, text: &str, has_literal_star: bool) {
    if has_literal_star {
        let problem = at.problem(format!("a `*` in {} stands for itself", shown(text)));
        at.report(problem.help("only one at the start or at the end is a wildcard").warning());
    }
}

/// The text of a scalar. A number that a double can't hold is not the number that was written.
fn scalar(at: &mut At<'_>, written: Scalar) -> Option<String> {
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
