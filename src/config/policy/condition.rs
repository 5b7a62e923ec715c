//! `when`: a key in Istio's words, and what its attribute must be.

use regex_lite::Regex;

use super::{key, meaning::report_nothing_left, rule::RuleContext, scalar::Scalar, value::each_value};
use crate::{
    config::{
        at::At,
        problem::shown,
        shape::{Required, Text, object},
    },
    policy::{
        attribute::Attribute,
        matcher::Matcher,
        value::{Origin, Value},
    },
};

object! {
    /// What else must hold.
    pub struct Condition:

    /// What is compared: see below.
    pub key: Required<Text>,
    /// Any of these: text with `*` as above, numbers or booleans. Default: any.
    pub values: Vec<Scalar>,
    /// None of these. Holds for what is not there.
    pub not_values: Vec<Scalar>,
    /// Or any of these regular expressions, each for the whole text.
    pub matches: Option<Vec<Regex>>,
    /// Or the text of another key that takes it, or of `{name}` in the `paths` of this rule.
    pub values_from: Option<Vec<Text>>,
    /// And all of these, in the list of a claim.
    pub all_of: Option<Vec<Scalar>>,
    /// And a claim that is a number of at least this.
    pub min: Option<f64>,
    /// And a claim that is a number of at most this.
    pub max: Option<f64>,
}

impl Condition {
    /// What it asks, in a rule whose paths have these names.
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, context: &RuleContext<'_>, captures: &[&str]) -> Option<Matcher> {
        let is_empty = !self.is_positive() && self.not_values.is_empty();
        if is_empty && !at.has_errors_inside() {
            at.error("it compares nothing").help("write `values` or `notValues`");
        }
        let Text(key) = self.key.value.as_ref()?;
        let attribute = key::attribute(&mut at.field("key"), key, context)?;
        self.report_unfit(at, &attribute);
        if self.matches.is_none() && self.values_from.is_none() {
            report_nothing_left(&mut at.field("values"), &self.values, &self.not_values, "notValues");
        }
        if !self.is_positive() && !is_empty {
            context.report_negative(&mut at.field("notValues"), &attribute);
        }
        let mut any = each_value(&mut at.field("values"), self.values, &attribute, context);
        any.extend(self.matches.into_iter().flatten().map(Value::Expression));
        let origins = at.field("valuesFrom").each(self.values_from.unwrap_or_default(), |at, Text(text)| {
            origin(at, &text, &attribute, context, captures)
        });
        any.extend(origins.into_iter().map(Value::Elsewhere));
        let none = each_value(&mut at.field("notValues"), self.not_values, &attribute, context);
        let mut all = each_value(&mut at.field("allOf"), self.all_of.unwrap_or_default(), &attribute, context);
        if self.min.is_some() || self.max.is_some() {
            all.push(Value::Range(self.min, self.max));
        }
        Some(Matcher::new(attribute, any, none).and(all))
    }

    /// Whether only a request with a token can meet it.
    pub(super) fn needs_token(&self) -> bool {
        self.key.value.as_ref().is_some_and(|Text(key)| key.starts_with("request.auth.")) && self.is_positive()
    }

    /// Whether it asks for something that is there, and not only for something that is not.
    fn is_positive(&self) -> bool {
        let has_expressions = self.matches.as_ref().is_some_and(|list| !list.is_empty());
        let has_origins = self.values_from.as_ref().is_some_and(|list| !list.is_empty());
        let has_all = self.all_of.as_ref().is_some_and(|list| !list.is_empty());
        let has_range = self.min.is_some() || self.max.is_some();
        !self.values.is_empty() || has_expressions || has_origins || has_all || has_range
    }

    /// Reports what the attribute can't be asked.
    #[cold]
    fn report_unfit(&self, at: &mut At<'_>, attribute: &Attribute) {
        let is_claim = matches!(attribute, Attribute::Claim(_));
        for (field, is_written, is_for_text) in [
            ("matches", self.matches.is_some(), true),
            ("valuesFrom", self.values_from.is_some(), true),
            ("allOf", self.all_of.is_some(), false),
            ("min", self.min.is_some(), false),
            ("max", self.max.is_some(), false),
        ] {
            let mut at = at.field(field);
            if is_written && !attribute.is_text() {
                at.error("this key has only `values` and `notValues`");
            } else if is_written && !is_for_text && !is_claim {
                at.error("only claims have numbers and lists").help("use it with `request.auth.claims[…]`");
            }
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && min > max
        {
            at.field("max").error(format!("`{max}` is less than `min`, so nothing could match"));
        }
    }
}

/// Another key, or a segment of the path.
#[inline(never)]
fn origin(
    at: &mut At<'_>,
    text: &str,
    compared: &Attribute,
    context: &RuleContext<'_>,
    captures: &[&str],
) -> Option<Origin> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        if captures.contains(&name) {
            return Some(Origin::Capture(name.to_owned()));
        }
        at.error(format!("no path of this rule has a segment {}", shown(text)))
            .help(format!("write it into `paths`, as in `/tenants/{text}/{{**}}`"));
        return None;
    }
    let attribute = key::attribute(at, text, context)?;
    if !attribute.is_text() {
        at.wrong(text, "has no text to compare with")
            .help("use `request.auth.claims[…]`, `request.headers[…]`, `source.principal` or a `{name}` of `paths`");
        return None;
    }
    if attribute == *compared {
        at.wrong(text, "is the key itself, so nothing is compared").help("write another key, or a `{name}` of `paths`");
        return None;
    }
    Some(Origin::Attribute(attribute))
}
