//! `authorizationPolicies` as users write them: Istio's names, no meaning yet.

use serde_json::Value;

use super::{
    at::At,
    shape::{Field, Object, Shape, camel_case, is_among, object},
};
#[cfg(not(target_arch = "wasm32"))]
use super::{schema::Described, shape::comment};

object! {
    /// A policy (`AuthorizationPolicy.spec`, with its metadata's names).
    pub struct AuthorizationPolicy:

    /// What denials and the log call it. Default: empty.
    pub name: Option<String>,
    /// For the same, and the namespace of `serviceAccounts` that name none. Default: empty.
    pub namespace: Option<String>,
    /// `ALLOW`, `DENY` or `AUDIT`. `CUSTOM` is an error. Default: `ALLOW`.
    pub action: Option<String>,
    /// Decide, say so in the log, and do not enforce, as with Istio's annotation `istio.io/dry-run`. Nothing for AUDIT, which
    /// never enforces. Default: `false`.
    pub dry_run: Option<bool>,
    /// The policy matches if one of them does. Without any it never matches.
    pub rules: Option<Vec<Rule>>,
    /// Not read, with a warning: the policies are for the proxy that the filter runs in.
    pub selector: Option<Value>,
    /// The same.
    pub target_refs: Option<Value>,
    /// An error: it belongs to `CUSTOM`.
    pub provider: Option<Value>,
}

object! {
    /// One rule: any of `from`, any of `to`, all of `when`.
    pub struct Rule:

    /// What denials and the log call it. Default: its index.
    pub name: Option<String>,
    /// Who: any entry. Default: anybody.
    pub from: Option<Vec<From>>,
    /// What: any entry. Default: anything.
    pub to: Option<Vec<To>>,
    /// What else: every entry. Default: always.
    pub when: Option<Vec<Condition>>,
}

object! {
    /// Istio's wrapper around a source.
    pub struct From:

    /// All of its fields. One that asks nothing is an error. Default: required.
    pub source: Option<Source>,
}

object! {
    /// Istio's wrapper around an operation.
    pub struct To:

    /// All of its fields. One that asks nothing is an error. Default: required.
    pub operation: Option<Operation>,
}

/// Values of which any must match, and values of which none may: a field and its `not…`.
#[derive(Debug)]
pub(super) struct Pair<T> {
    pub(super) any: Option<Vec<T>>,
    pub(super) none: Option<Vec<T>>,
}

impl<T> Default for Pair<T> {
    fn default() -> Self {
        Self { any: None, none: None }
    }
}

/// Declares an object whose fields are pairs: each is read with its `not…`, so that none can lack one.
macro_rules! pairs {
    (
        $(#[$($object:tt)*])*
        pub struct $name:ident:

        $($(#[$($meta:tt)*])* pub $field:ident: $shape:ty,)*
    ) => {
        $(#[$($object)*])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            $($(#[$($meta)*])* pub(super) $field: Pair<$shape>,)*
        }

        impl Object for $name {
            fn fields(&mut self) -> Vec<(&'static str, &mut dyn Field)> {
                let fields: Vec<(&'static str, &mut dyn Field)> = vec![$(
                    (stringify!($field), &mut self.$field.any),
                    (concat!("not_", stringify!($field)), &mut self.$field.none),
                )*];
                fields
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn documented() -> Vec<(&'static str, &'static [&'static str])> {
                vec![$(
                    (stringify!($name), const { &[$(comment!($($meta)*)),*] }),
                    (stringify!($name), const { &[" None of these."] }),
                )*]
            }
        }

        impl Shape for $name {
            fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
                at.object(value)
            }

            fn stand_in() -> Option<Self> {
                Some(Self::default())
            }

            fn holds(field: &str) -> Option<&'static str> {
                let is_own = is_among(field, &[$(stringify!($field), concat!("not_", stringify!($field))),*]);
                is_own.then_some("")
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn described() -> Described {
                Described::object::<Self>()
            }
        }

        impl $name {
            /// Every field by its name, with its values as scalars.
            pub(super) fn pairs(self) -> Vec<(String, Pair<Scalar>)> {
                vec![$((camel_case(stringify!($field)), self.$field.into_scalars())),*]
            }
        }
    };
}

impl<T: Into<Scalar>> Pair<T> {
    fn into_scalars(self) -> Pair<Scalar> {
        let scalars = |list: Option<Vec<T>>| list.map(|list| list.into_iter().map(T::into).collect());
        Pair { any: scalars(self.any), none: scalars(self.none) }
    }
}

impl<T> Pair<T> {
    /// Whether it has a value.
    pub(super) fn asks(&self) -> bool {
        [&self.any, &self.none].into_iter().flatten().any(|values| !values.is_empty())
    }
}

pairs! {
    /// Who: every field must hold.
    pub struct Source:

    /// The peer's SPIFFE ID without `spiffe://`: exact, `abc*`, `*abc` or `*`. Default: any.
    pub principals: String,
    /// `<iss>/<sub>` of the token, split at the last slash: exact, `<iss>/abc*`, `<iss>/*`, `*/<sub>`, `*`; without a
    /// slash `abc*` is about `iss` and `*abc` about `sub`. Default: any.
    pub request_principals: String,
    /// The namespace in the peer's SPIFFE ID: exact, `abc*`, `*abc` or `*`. Default: any.
    pub namespaces: String,
    /// `<namespace>/<name>` in the peer's SPIFFE ID, or `<name>` in the policy's `namespace`. No `*`; not beside
    /// `principals` or `namespaces`. Default: any.
    pub service_accounts: String,
    /// The trust domain of the peer's SPIFFE ID: exact, `abc*`, `*abc` or `*`. Default: any.
    pub trust_domains: String,
    /// Who opened the connection: addresses and blocks, `10.1.2.3` or `10.1.0.0/16`. Envoy does not always tell it: see
    /// authorization.md. Default: any.
    pub ip_blocks: String,
    /// The client, by `X-Forwarded-For` or the PROXY protocol, as Envoy is set to believe them. Default: any.
    pub remote_ip_blocks: String,
}

pairs! {
    /// What: every field must hold.
    pub struct Operation:

    /// Host and port as the client wrote them, without regard to case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub hosts: String,
    /// The port that the connection was opened to: numbers or text. Default: any.
    pub ports: Scalar,
    /// Methods, in upper case: exact, `abc*`, `*abc` or `*`. Default: any.
    pub methods: String,
    /// Paths without query and fragment: exact, `abc*`, `*abc`, `*`, or a template of `{*}`, `{**}` and `{name}`.
    /// Default: any.
    pub paths: String,
}

object! {
    /// What else must hold.
    pub struct Condition:

    /// What is looked at: see below. Default: required.
    pub key: Option<String>,
    /// Any of these: text with `*` as above, numbers or booleans. Default: any.
    pub values: Option<Vec<Scalar>>,
    /// None of these. Holds for what is not there.
    pub not_values: Option<Vec<Scalar>>,
    /// Or any of these regular expressions, each for the whole text.
    pub matches: Option<Vec<String>>,
    /// Or the text of another key that takes it, or of `{name}` in the `paths` of this rule.
    pub values_from: Option<Vec<String>>,
    /// And all of these, in the list of a claim.
    pub all_of: Option<Vec<Scalar>>,
    /// And a claim that is a number of at least this.
    pub min: Option<f64>,
    /// And a claim that is a number of at most this.
    pub max: Option<f64>,
}

impl Condition {
    /// Whether anything is asked of the key.
    pub(super) fn asks(&self) -> bool {
        self.is_positive() || self.not_values.as_ref().is_some_and(|values| !values.is_empty())
    }

    /// Whether it asks for something that is there, and not only for something that is not.
    pub(super) fn is_positive(&self) -> bool {
        [&self.values, &self.all_of].into_iter().flatten().any(|values| !values.is_empty())
            || [&self.matches, &self.values_from].into_iter().flatten().any(|values| !values.is_empty())
            || self.min.is_some()
            || self.max.is_some()
    }
}

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug, PartialEq)]
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

impl std::convert::From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
