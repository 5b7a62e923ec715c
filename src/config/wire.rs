//! What users write, shape by shape: Istio's names, nothing required, no meaning yet. Unknown names are problems.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{
    at::At,
    shape::{Shape, object},
};

object! {
    /// A policy (`AuthorizationPolicy.spec`, with its metadata's names).
    pub struct AuthorizationPolicy:

    /// What logs and denials call it.
    pub name: Option<String>,
    /// The namespace it is in.
    pub namespace: Option<String>,
    /// `ALLOW`, `DENY` or `AUDIT`. Default: `ALLOW`.
    pub action: Option<String>,
    /// Whether it only says what it would do (`istio.io/dry-run`). Default: false.
    pub dry_run: Option<bool>,
    /// Any of these. None never match.
    pub rules: Option<Vec<Rule>>,
    /// Istio's `selector`; the policy is for the proxy the filter runs in.
    pub selector: Option<Value>,
    /// Istio's `targetRefs`; the policy is for the proxy the filter runs in.
    pub target_refs: Option<Value>,
    /// Istio's `provider` of a CUSTOM policy; refused.
    pub provider: Option<Value>,
}

object! {
    /// One rule: any of `from`, any of `to`, all of `when`.
    pub struct Rule:

    /// What denials call it. Default: its number.
    pub name: Option<String>,
    /// Who. Default: anybody.
    pub from: Option<Vec<From>>,
    /// What. Default: anything.
    pub to: Option<Vec<To>>,
    /// What else. Default: nothing.
    pub when: Option<Vec<Condition>>,
}

object! {
    /// Istio's wrapper around a source.
    pub struct From:

    /// The source.
    pub source: Option<Source>,
}

object! {
    /// Istio's wrapper around an operation.
    pub struct To:

    /// The operation.
    pub operation: Option<Operation>,
}

object! {
    /// Who: every field must hold.
    pub struct Source:

    pub principals: Option<Vec<String>>,
    pub not_principals: Option<Vec<String>>,
    pub request_principals: Option<Vec<String>>,
    pub not_request_principals: Option<Vec<String>>,
    pub namespaces: Option<Vec<String>>,
    pub not_namespaces: Option<Vec<String>>,
    pub service_accounts: Option<Vec<String>>,
    pub not_service_accounts: Option<Vec<String>>,
    pub trust_domains: Option<Vec<String>>,
    pub not_trust_domains: Option<Vec<String>>,
    pub ip_blocks: Option<Vec<String>>,
    pub not_ip_blocks: Option<Vec<String>>,
    pub remote_ip_blocks: Option<Vec<String>>,
    pub not_remote_ip_blocks: Option<Vec<String>>,
}

object! {
    /// What: every field must hold.
    pub struct Operation:

    pub hosts: Option<Vec<String>>,
    pub not_hosts: Option<Vec<String>>,
    pub ports: Option<Vec<Scalar>>,
    pub not_ports: Option<Vec<Scalar>>,
    pub methods: Option<Vec<String>>,
    pub not_methods: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub not_paths: Option<Vec<String>>,
}

object! {
    /// What else must hold.
    pub struct Condition:

    /// The fact, in Istio's words.
    pub key: Option<String>,
    /// Any of these.
    pub values: Option<Vec<Scalar>>,
    /// None of these.
    pub not_values: Option<Vec<Scalar>>,
    /// Or any of these expressions, each for the whole text.
    pub matches: Option<Vec<String>>,
    /// Or the text that stands elsewhere: another key, or `{name}` in the rule's paths.
    pub values_from: Option<Vec<String>>,
    /// And all of these, in a list.
    pub all_of: Option<Vec<Scalar>>,
    /// And at least this number.
    pub min: Option<f64>,
    /// And at most this number.
    pub max: Option<f64>,
}

impl Source {
    /// Whether any field has a value.
    pub(super) fn asks(&self) -> bool {
        let fields = [
            &self.principals,
            &self.not_principals,
            &self.request_principals,
            &self.not_request_principals,
            &self.namespaces,
            &self.not_namespaces,
            &self.service_accounts,
            &self.not_service_accounts,
            &self.trust_domains,
            &self.not_trust_domains,
            &self.ip_blocks,
            &self.not_ip_blocks,
            &self.remote_ip_blocks,
            &self.not_remote_ip_blocks,
        ];
        fields.into_iter().flatten().any(|values| !values.is_empty())
    }
}

impl Operation {
    /// Whether any field has a value.
    pub(super) fn asks(&self) -> bool {
        let texts = [&self.hosts, &self.not_hosts, &self.methods, &self.not_methods, &self.paths, &self.not_paths];
        texts.into_iter().flatten().any(|values| !values.is_empty())
            || [&self.ports, &self.not_ports].into_iter().flatten().any(|values| !values.is_empty())
    }
}

impl Condition {
    /// Whether anything is asked of the key.
    pub(super) fn asks(&self) -> bool {
        let lists = [&self.values, &self.not_values, &self.all_of];
        lists.into_iter().flatten().any(|values| !values.is_empty())
            || [&self.matches, &self.values_from].into_iter().flatten().any(|values| !values.is_empty())
            || self.min.is_some()
            || self.max.is_some()
    }
}

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug)]
pub(super) enum Scalar {
    /// Text.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
}

impl Scalar {
    /// Its text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Shape for Scalar {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Bool(flag) => Some(Self::Flag(flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            other => {
                at.mismatch(&other, "text, a number or a boolean");
                None
            }
        }
    }

    fn stand_in() -> Option<Self> {
        Some(Self::Text(String::new()))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::kinds(&["string", "number", "boolean"])
    }
}
