//! What a rule asks of one attribute: any of some values, none of others, all of some.

use std::borrow::Cow;

use super::{
    attribute::Attribute,
    value::{Found, Origin, Value, contains},
    view::{Assume, View},
};
use crate::matching::{path::Captures, pattern::Pattern};

/// An attribute and its values. Istio has a list and its `not…`; without values everything matches.
#[derive(Clone, Debug)]
pub struct Matcher {
    attribute: Attribute,
    any: Vec<Value>,
    none: Vec<Value>,
    all: Vec<Value>,
}

impl Matcher {
    /// Any of these and none of those.
    pub fn new(attribute: Attribute, any: Vec<Value>, none: Vec<Value>) -> Self {
        Self { attribute, any, none, all: Vec::new() }
    }

    /// And all of these.
    #[must_use]
    pub fn and(self, all: Vec<Value>) -> Self {
        Self { all, ..self }
    }

    /// What it is about.
    pub fn attribute(&self) -> &Attribute {
        &self.attribute
    }

    /// The values of which any is enough.
    pub fn any(&self) -> &[Value] {
        &self.any
    }

    /// Whether it asks for something that is there, and not only for something that is not.
    pub fn is_positive(&self) -> bool {
        !self.any.is_empty() || !self.all.is_empty()
    }

    /// Whether it asks anything of the token.
    pub fn needs_token(&self) -> bool {
        let is_of_token =
            |value: &Value| matches!(value, Value::Elsewhere(Origin::Attribute(attribute)) if attribute.needs_token());
        self.attribute.needs_token() || self.any.iter().any(is_of_token)
    }

    /// Whether it holds, with what the path captured.
    pub(super) fn holds(&self, view: &View<'_>, captures: &Captures<'_>) -> bool {
        if let Some(assumed) = view.assumed_of_token()
            && self.needs_token()
        {
            return assumed;
        }
        if view.assume == Assume::Scope && self.attribute.is_scope() {
            return true;
        }
        let (found, unknown) = (self.attribute.find(view), view.unknown_matches);
        let test = |value: &Value| self.test(value, &found, view, captures);
        (self.any.is_empty() || self.any.iter().any(|value| test(value).unwrap_or(unknown)))
            && !self.none.iter().any(|value| test(value).unwrap_or(!unknown))
            && self.all.iter().all(|value| test(value).unwrap_or(unknown))
    }

    /// Whether the fact is as one value has it; `None` if that is not known.
    fn test(&self, value: &Value, found: &Found<'_>, view: &View<'_>, captures: &Captures<'_>) -> Option<bool> {
        match (value, found) {
            (Value::Elsewhere(origin), _) => self.equals(origin, view, captures),
            (Value::Range(min, max), _) => {
                let is_within =
                    |number: f64| min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                Some(self.attribute.number(view).is_some_and(is_within))
            }
            (Value::Expression(regex), _) => {
                let texts = self.attribute.texts(view)?;
                // Bytes that are no text may be anything to the one who reads them.
                let matches = |text: &[u8]| str::from_utf8(text).ok().map(|text| regex.is_match(text));
                let mut unknown = false;
                for text in &texts {
                    match matches(text) {
                        Some(true) => return Some(true),
                        Some(false) => (),
                        None => unknown = true,
                    }
                }
                (!unknown).then_some(false)
            }
            (Value::Text(pattern), Found::Text(text)) => self.attribute.matches(pattern, &[Cow::Borrowed(text)], view),
            (Value::Text(pattern), Found::Texts(texts)) => self.attribute.matches(pattern, texts.as_ref()?, view),
            (Value::Peer(pattern), Found::Peer(peer)) => pattern.matches(*peer),
            (Value::Principal(pattern), Found::Principal(principal)) => {
                Some(principal.is_some_and(|(issuer, subject)| pattern.matches(issuer, subject)))
            }
            (Value::Block(block), Found::Address(address)) => address.map(|address| contains(block, address)),
            (Value::Port(port), Found::Port(found)) => found.map(|found| found == *port),
            // No attribute makes such values.
            _ => None,
        }
    }

    /// Whether the fact is the text that stands elsewhere.
    fn equals(&self, origin: &Origin, view: &View<'_>, captures: &Captures<'_>) -> Option<bool> {
        let texts = self.attribute.compared(view)?;
        let is_one = |wanted: &[u8]| !wanted.is_empty() && texts.iter().any(|text| **text == *wanted);
        Some(match origin {
            Origin::Attribute(attribute) => attribute.compared(view)?.iter().any(|wanted| is_one(wanted)),
            Origin::Capture(name) => is_one(captures.value(name)?),
        })
    }

    /// The scopes it asks for, if it asks for scopes and all of them by name.
    pub(super) fn scopes(&self) -> Option<Vec<&str>> {
        let names = self.any.iter().chain(&self.all).map(|value| match value {
            Value::Text(Pattern::Exact(name)) => Some(name.as_str()),
            _ => None,
        });
        names.collect::<Option<Vec<_>>>().filter(|names| self.attribute.is_scope() && !names.is_empty())
    }
}
