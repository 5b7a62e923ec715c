//! One value of a rule, and what is wrong with it.

use super::{rule::RuleContext, scalar::Scalar};
use crate::{
    config::{at::At, host::report_no_host, method::report_no_method, path_pattern::path_pattern, problem::shown},
    matching::path::PathPattern,
    policy::{
        attribute::Attribute,
        value::{NotAValue, Value},
    },
};

/// Every value of a list.
#[inline(never)]
pub(super) fn each_value(
    at: &mut At<'_>,
    written: Vec<Scalar>,
    attribute: &Attribute,
    context: &RuleContext<'_>,
) -> Vec<Value> {
    at.each(written, |at, written| values(at, written, attribute, context)).into_iter().flatten().collect()
}

fn values(at: &mut At<'_>, written: Scalar, attribute: &Attribute, context: &RuleContext<'_>) -> Option<Vec<Value>> {
    let text = written.into_text(at)?;
    if *attribute == Attribute::Host {
        report_no_host(at, &text);
    }
    let values = attribute.values(&text, &context.reader).map_err(|reason| report(at, &text, reason)).ok()?;
    report_stars(at, &text, values.iter().any(Value::has_literal_star));
    context.context.report(at, attribute, &text, &values);
    Some(values)
}

#[cold]
fn report(at: &mut At<'_>, text: &str, reason: NotAValue) {
    let (sentence, help) = match reason {
        NotAValue::Block => ("is not an address or a block of addresses", "write `10.1.2.3` or `10.1.0.0/16`"),
        NotAValue::Port => ("is not a port", "write a number from 0 to 65535"),
        NotAValue::ServiceAccount => {
            ("is not a service account", "write `<namespace>/<name>`, or `<name>` in a policy with a `namespace`")
        }
        NotAValue::Empty => return at.error("it is empty").help("write `*` for anything"),
        NotAValue::Scheme(bare) => {
            return at
                .wrong(text, "never matches: principals are written without `spiffe://`")
                .help(format!("write {}", shown(&bare)));
        }
        NotAValue::Slash => {
            let [of_issuer, of_any] = ["<issuer>/", "*/"].map(|start| shown(&[start, text].concat()));
            return at
                .wrong(text, "has no slash, so no token matches")
                .help(format!("write {of_issuer}, or {of_any} for any issuer"));
        }
        NotAValue::Method => return report_no_method(at, text),
    };
    at.wrong(text, sentence).help(help);
}

/// A pattern of `paths` or, if it is negated, of `notPaths`.
#[inline(never)]
pub(super) fn path(
    at: &mut At<'_>,
    written: Scalar,
    context: &RuleContext<'_>,
    is_negated: bool,
) -> Option<PathPattern> {
    let text = written.into_text(at)?;
    if text.replace("{**}", "").contains("**") {
        let sentence = format!("the `**` in {} is no wildcard", shown(&text));
        let problem = if context.reader.text_only { at.warn(sentence) } else { at.error(sentence) };
        problem.help("write `{**}` for any number of segments, or `*` at the end for any rest");
        return PathPattern::lenient(&text).ok();
    }
    let pattern = path_pattern(at, &text, PathPattern::lenient)?;
    report_stars(at, &text, pattern.has_literal_star());
    let every_reading_counts = context.context.settings.path_normalization.is_none();
    if context.is_allowing() && !is_negated && every_reading_counts && !pattern.is_readable() {
        at.warn(format!("no path matches {} in every reading, so it allows nothing", shown(&text)))
            .help("write the path as servers read it, or set `pathNormalization`");
    }
    Some(pattern)
}

#[cold]
fn report_stars(at: &mut At<'_>, text: &str, has_literal_star: bool) {
    if has_literal_star {
        at.warn(format!("a `*` in {} is not a wildcard", shown(text)))
            .help("only one at the start or at the end is a wildcard");
    }
}
