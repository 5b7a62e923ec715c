//! One rule of a policy: any of `from`, any of `to`, all of `when`.

use serde_json::Value;

use super::{Context, condition::Condition, operation::Operation, source::Source};
#[cfg(not(target_arch = "wasm32"))]
use crate::config::schema::Described;
use crate::{
    config::{
        at::At,
        shape::{Required, Shape, Text, object},
    },
    matching::path::PathPattern,
    policy::{Action, attribute::Attribute, rule, value::Reader},
};

object! {
    /// One rule: any of `from`, any of `to`, all of `when`.
    pub struct Rule:

    /// What denials and the log call it. Default: its index.
    pub name: Option<Text>,
    /// Who: any entry. Default: anyone.
    pub from: AnyOf<From>,
    /// What: any entry. Default: anything.
    pub to: AnyOf<To>,
    /// What else: every entry. Default: always.
    pub when: Vec<Condition>,
}

object! {
    /// Istio's wrapper around a source.
    pub struct From:

    /// All of its fields. One without values is an error.
    pub source: Required<Source>,
}

object! {
    /// Istio's wrapper around an operation.
    pub struct To:

    /// All of its fields. One without values is an error.
    pub operation: Required<Operation>,
}

/// What surrounds the parts of one rule.
pub(super) struct RuleContext<'c> {
    pub(super) context: &'c Context,
    pub(super) reader: Reader<'c>,
    pub(super) action: Action,
    /// Whether only a request with a token can match.
    pub(super) needs_token: bool,
}

impl Rule {
    #[inline(never)]
    pub(super) fn checked(self, at: &mut At<'_>, policy: &str, index: usize, context: &RuleContext<'_>) -> rule::Rule {
        let name = self.name.map_or_else(|| index.to_string(), |Text(name)| name);
        let from = at
            .field("from")
            .each(self.from.0, |at, from| Some(from.source.value?.checked(&mut at.field("source"), context)));
        let to = at
            .field("to")
            .each(self.to.0, |at, to| Some(to.operation.value?.checked(&mut at.field("operation"), context)));
        let captures: Vec<&str> =
            to.iter().flat_map(|operation| &operation.paths).flat_map(PathPattern::names).collect();
        let when = at.field("when").each(self.when, |at, condition| condition.checked(at, context, &captures));
        rule::Rule { id: format!("{policy}-rule[{name}]").into(), from, to, when }
    }

    /// Whether only a request with a token can match: every source or some condition asks for one.
    pub(super) fn needs_token(&self) -> bool {
        let AnyOf(from) = &self.from;
        let asks =
            |from: &From| from.source.value.as_ref().is_some_and(|source| !source.request_principals.any.0.is_empty());
        !from.is_empty() && from.iter().all(asks) || self.when.iter().any(Condition::needs_token)
    }
}

impl RuleContext<'_> {
    /// Reports a list of what may not be: it holds for a request without a token, so under ALLOW the token can be left out.
    pub(super) fn report_negative(&self, at: &mut At<'_>, attribute: &Attribute) {
        if self.is_allowing() && attribute.needs_token() && !self.needs_token {
            at.warn("a request without a token has no such value either, so this rule allows it")
                .help("add `from: [{source: {requestPrincipals: [\"*\"]}}]` to the rule");
        }
    }

    /// Whether the policy lets requests pass.
    pub(super) fn is_allowing(&self) -> bool {
        self.action == Action::Allow
    }
}

/// Alternatives. Istio rejects an empty list of them: it could mean all, or nothing.
#[derive(Debug)]
pub(in crate::config) struct AnyOf<T>(Vec<T>);

impl<T> Default for AnyOf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Shape> Shape for AnyOf<T> {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        if value.as_array().is_some_and(Vec::is_empty) {
            at.error("it is an empty list").help("leave it out if the rule is for all");
        }
        Vec::read(value, at).map(Self)
    }

    fn holds(field: &str) -> Option<&'static str> {
        Vec::<T>::holds(field)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        T::described().in_list().not_empty()
    }
}
