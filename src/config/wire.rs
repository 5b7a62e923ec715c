//! What users write, shape by shape: Istio's names, nothing required, no meaning yet. Unknown names are problems.

use serde_json::Value;

use super::{
    at::At,
    shape::{Field, Shape, camel_case, object},
};
use crate::secret::Secret;

object! {
    /// The whole configuration.
    pub struct Config:

    /// Whose tokens are trusted (`RequestAuthentication.spec.jwtRules`).
    pub jwt_rules: Option<Vec<JwtRule>>,
    /// Who may do what with them (`AuthorizationPolicy.spec`, several). Default: everything passes.
    pub authorization_policies: Option<Vec<AuthorizationPolicy>>,
    /// How denials are worded.
    pub errors: Option<Errors>,
    /// Whose pages a browser lets read denials, with `errors.cors` (`CorsPolicy`).
    pub cors: Option<Cors>,
    /// Whether CORS preflights pass without a token. Default: true, as Istio has it.
    pub bypass_cors_preflight: Option<bool>,
    /// The longest token looked at, in bytes. Default: 16384.
    pub max_token_bytes: Option<f64>,
    /// How many requests each worker lets wait for keys. Default: 1000.
    pub max_waiting_requests: Option<f64>,
    /// How the log writes a token's `sub`: `hash`, `plain` or `none`. Default: `hash`.
    pub log_subjects: Option<String>,
    /// What filter state holds of each decision. Default: `reason` and `policy` of denials.
    pub filter_state: Option<Vec<String>>,
    /// Who is told how a request was decided. Default: nobody.
    pub debug: Option<Debug>,
    /// The mesh's trust domain (MeshConfig), which principals of `cluster.local` mean. Default: principals mean themselves.
    pub trust_domain: Option<String>,
    /// Other names of the trust domain (MeshConfig).
    pub trust_domain_aliases: Option<Vec<String>>,
    /// Who is believed about the source of a connection: `connection` or `filterState`. Default: filter state if there is one.
    pub source_address: Option<String>,
    /// What the proxy makes of paths, in Istio's words. Default: unknown, so every reading counts.
    pub path_normalization: Option<String>,
}

object! {
    /// The header that asks for the trace of a decision, and that brings it.
    pub struct Debug:

    /// The header. Default: `x-claimgate-debug`.
    pub header: Option<String>,
    /// What the header of a request must say.
    pub secret: Option<Secret>,
}

object! {
    /// One trusted issuer (`JWTRule`).
    pub struct JwtRule:

    /// What logs call the rule. Default: the issuer.
    pub name: Option<String>,
    /// The `iss` of its tokens, exactly.
    pub issuer: Option<String>,
    /// Accepted audiences, any of them. Default: `aud` is not looked at.
    pub audiences: Option<Vec<String>>,
    /// The issuer's keys: a JWK Set as a string or an object.
    pub jwks: Option<Value>,
    /// Where the issuer's keys are. Default, without `jwks`: what the issuer's metadata say (OpenID Connect Discovery).
    pub jwks_uri: Option<String>,
    /// Envoy's cluster for `jwksUri` or for the issuer. Default: Istio's `outbound|<port>||<host>`.
    pub jwks_cluster: Option<String>,
    /// Other hosts than the issuer's that its metadata may name for its keys.
    pub jwks_hosts: Option<Vec<String>>,
    /// How long fetched keys are fresh at most. Default: 5m.
    pub jwks_cache_duration: Option<String>,
    /// How long after an answer unknown keys cause no other fetch. Default: 10s.
    pub jwks_cooldown: Option<String>,
    /// How long keys are used since the issuer last confirmed them. Default: 24h.
    pub jwks_stale_if_error: Option<String>,
    /// How long a call for keys may take, and how long a request waits for them. Default: 5s.
    pub timeout: Option<String>,
    /// Headers with tokens. Default, with the two below: `Authorization: Bearer …` and `?access_token=…`.
    pub from_headers: Option<Vec<FromHeader>>,
    /// Query parameters with tokens.
    pub from_params: Option<Vec<String>>,
    /// Cookies with tokens.
    pub from_cookies: Option<Vec<String>>,
    /// Whether the token stays on the request. Default: false.
    pub forward_original_token: Option<bool>,
    /// Header for the payload, base64url.
    pub output_payload_to_header: Option<String>,
    /// Headers for single claims.
    pub output_claim_to_headers: Option<Vec<ClaimToHeader>>,
    /// Whether Envoy chooses the route anew once these headers are set or a forged one is gone. Default: false.
    pub clear_route_cache: Option<bool>,
    /// Claims whose text is a list of words, for policies. `scope` and `permission` always are.
    pub space_delimited_claims: Option<Vec<String>>,
    /// `OPTIONAL` or `REQUIRED`. Default: `OPTIONAL`.
    pub presence: Option<String>,
    /// Accepted `alg`. Default: every asymmetric one.
    pub algorithms: Option<Vec<String>>,
    /// Accepted `typ`. Default: any that is not clearly another kind of token.
    pub types: Option<Vec<String>>,
    /// How far clocks may disagree. Default: 60s.
    pub clock_skew: Option<String>,
    /// Whether tokens must have `exp`. Default: true.
    pub require_expiration: Option<bool>,
    /// How long a token may still be valid. Default: no bound.
    pub max_lifetime: Option<String>,
    /// Accepted subjects, patterns. Default: `sub` is not looked at.
    pub subjects: Option<Vec<String>>,
    /// The requests the rule is for. Default: all.
    pub r#match: Option<Vec<Match>>,
}

object! {
    /// A header that holds tokens (`JWTHeader`).
    pub struct FromHeader:

    /// The header.
    pub name: Option<String>,
    /// What stands before the token. Default: nothing.
    pub prefix: Option<String>,
}

object! {
    /// A claim and its header (`ClaimToHeader`).
    pub struct ClaimToHeader:

    /// The header.
    pub header: Option<String>,
    /// The claim: `email`, `realm.roles` or `[realm_access][roles]`.
    pub claim: Option<String>,
    /// `comma`, `space`, `json` or `base64json`. Default: `comma`; in style `istio` what Envoy writes.
    pub format: Option<String>,
}

object! {
    /// Requests of one kind: all lists must match, a list by any of its values.
    pub struct Match:

    /// Hosts.
    pub hosts: Option<Vec<String>>,
    /// Methods.
    pub methods: Option<Vec<String>>,
    /// Paths.
    pub paths: Option<Vec<String>>,
}

object! {
    /// How denials are worded.
    pub struct Errors:

    /// `rfc6750` or `istio`. Default: `rfc6750`.
    pub style: Option<String>,
    /// What challenges call the protected space. Default: host and port of the request.
    pub realm: Option<String>,
    /// How much clients are told: `none`, `reason` or `full`. Default: `reason`.
    pub details: Option<String>,
    /// Whether denials can be read from other origins, as `cors` has it. Default: false.
    pub cors: Option<bool>,
}

object! {
    /// Whose pages a browser lets read (`CorsPolicy`).
    pub struct Cors:

    /// Their origins, any of these.
    pub allow_origins: Option<Vec<StringMatch>>,
    /// Whether they may if they sent credentials along. Default: false.
    pub allow_credentials: Option<bool>,
    /// Headers they may read besides `www-authenticate` and `retry-after`.
    pub expose_headers: Option<Vec<String>>,
}

object! {
    /// A text to match (`StringMatch`): one of these.
    pub struct StringMatch:

    /// The whole of it; `*` is anything.
    pub exact: Option<String>,
    /// How it begins.
    pub prefix: Option<String>,
    /// A regular expression for the whole of it.
    pub regex: Option<String>,
}

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

/// Values of which any must match, and values of which none may: a field and its `not…`.
#[derive(Debug)]
pub struct Pair<T> {
    /// The field.
    pub any: Option<Vec<T>>,
    /// Its `not…`.
    pub none: Option<Vec<T>>,
}

impl<T> Default for Pair<T> {
    fn default() -> Self {
        Self { any: None, none: None }
    }
}

/// Declares an object whose fields are pairs: each is read with its `not…`, so that none can lack one.
macro_rules! pairs {
    ($(#[$object:meta])* pub struct $name:ident: $($(#[$field_meta:meta])* pub $field:ident: $shape:ty,)*) => {
        $(#[$object])*
        #[derive(Debug, Default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: Pair<$shape>,)*
        }

        impl Shape for $name {
            const NAME: &'static str = "an object";

            fn read(value: Value, at: &mut At<'_>) -> Result<Self, Value> {
                let Value::Object(members) = value else { return Err(value) };
                let mut object = Self::default();
                let mut fields: Vec<(&str, &mut dyn Field)> = vec![$(
                    (stringify!($field), &mut object.$field.any),
                    (concat!("not_", stringify!($field)), &mut object.$field.none),
                )*];
                at.read_members(members, &mut fields);
                Ok(object)
            }
        }

        impl $name {
            /// Every field by its name, with its values as scalars.
            pub fn pairs(self) -> Vec<(String, Pair<Scalar>)> {
                named(vec![$((stringify!($field), self.$field.into_scalars())),*])
            }
        }
    };
}

/// Fields by the names that users know.
fn named(fields: Vec<(&str, Pair<Scalar>)>) -> Vec<(String, Pair<Scalar>)> {
    fields.into_iter().map(|(field, pair)| (camel_case(field).collect(), pair)).collect()
}

impl<T: Into<Scalar>> Pair<T> {
    fn into_scalars(self) -> Pair<Scalar> {
        let scalars = |list: Option<Vec<T>>| list.map(|list| list.into_iter().map(T::into).collect());
        Pair { any: scalars(self.any), none: scalars(self.none) }
    }
}

impl<T> Pair<T> {
    /// Whether it has a value.
    pub fn asks(&self) -> bool {
        [&self.any, &self.none].into_iter().flatten().any(|values| !values.is_empty())
    }
}

pairs! {
    /// Who: every field must hold.
    pub struct Source:

    /// The peer's SPIFFE ID without its scheme.
    pub principals: String,
    /// The token's `<iss>/<sub>`.
    pub request_principals: String,
    /// The peer's namespace.
    pub namespaces: String,
    /// The peer's service account.
    pub service_accounts: String,
    /// The peer's trust domain.
    pub trust_domains: String,
    /// Who opened the connection.
    pub ip_blocks: String,
    /// Who sent the request.
    pub remote_ip_blocks: String,
}

pairs! {
    /// What: every field must hold.
    pub struct Operation:

    /// Hosts.
    pub hosts: String,
    /// Ports.
    pub ports: Scalar,
    /// Methods.
    pub methods: String,
    /// Paths.
    pub paths: String,
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

impl Condition {
    /// Whether anything is asked of the key.
    pub fn asks(&self) -> bool {
        self.is_positive() || self.not_values.as_ref().is_some_and(|values| !values.is_empty())
    }

    /// Whether it asks for something that is there, and not only for something that is not.
    pub fn is_positive(&self) -> bool {
        [&self.values, &self.all_of].into_iter().flatten().any(|values| !values.is_empty())
            || [&self.matches, &self.values_from].into_iter().flatten().any(|values| !values.is_empty())
            || self.min.is_some()
            || self.max.is_some()
    }
}

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug, PartialEq)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
}

impl Scalar {
    /// Its text.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl std::convert::From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Default for Scalar {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Shape for Scalar {
    const NAME: &'static str = "text, a number or a boolean";

    fn read(value: Value, at: &mut At<'_>) -> Result<Self, Value> {
        match value {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Bool(flag) => Ok(Self::Flag(flag)),
            other => f64::read(other, at).map(Self::Number),
        }
    }
}
