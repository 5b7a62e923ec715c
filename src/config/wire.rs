//! What users write, shape by shape: Istio's names, nothing required, no meaning yet. Unknown names are problems.

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::problem::{Problem, Problems, shown};

/// Fields that are text and look like numbers.
const DURATIONS: [&str; 4] = ["clockSkew", "maxLifetime", "timeout", "jwksCacheDuration"];

/// Each of them costs another reading of the whole.
const MOST_PROBLEMS: usize = 100;

/// The whole configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Whose tokens are trusted (`RequestAuthentication.spec.jwtRules`).
    pub jwt_rules: Option<Vec<JwtRule>>,
    /// Who may do what with them (`AuthorizationPolicy.spec`, several). Default: everything passes.
    pub authorization_policies: Option<Vec<AuthorizationPolicy>>,
    /// How refusals are worded.
    pub errors: Option<Errors>,
    /// Whether CORS preflights pass without a token. Default: true, as Istio has it.
    pub bypass_cors_preflight: Option<bool>,
    /// The longest token looked at, in bytes. Default: 16384.
    pub max_token_bytes: Option<f64>,
}

/// One trusted issuer (`JWTRule`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct JwtRule {
    /// What logs call the rule. Default: the issuer.
    pub name: Option<String>,
    /// The `iss` of its tokens, exactly.
    pub issuer: Option<String>,
    /// Accepted audiences, any of them. Default: `aud` is not looked at.
    pub audiences: Option<Vec<String>>,
    /// The issuer's keys: a JWK Set as a string or an object.
    pub jwks: Option<Value>,
    /// Where the issuer's keys are. Not supported yet.
    pub jwks_uri: Option<String>,
    /// Envoy cluster of `jwksUri`. Not supported yet.
    pub jwks_cluster: Option<String>,
    /// How long fetched keys are fresh. Not supported yet.
    pub jwks_cache_duration: Option<String>,
    /// How long fetching keys may take. Without effect on inline `jwks`.
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

/// A header that holds tokens (`JWTHeader`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct FromHeader {
    /// The header.
    pub name: Option<String>,
    /// What stands before the token. Default: nothing.
    pub prefix: Option<String>,
}

/// A claim and its header (`ClaimToHeader`).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct ClaimToHeader {
    /// The header.
    pub header: Option<String>,
    /// The claim: `email`, `realm.roles` or `[realm_access][roles]`.
    pub claim: Option<String>,
    /// `comma`, `space`, `json` or `base64json`. Default: `comma`; in style `istio` what Envoy writes.
    pub format: Option<String>,
}

/// Requests of one kind: all lists must match, a list by any of its values.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Match {
    /// Hosts.
    pub hosts: Option<Vec<String>>,
    /// Methods.
    pub methods: Option<Vec<String>>,
    /// Paths.
    pub paths: Option<Vec<String>>,
}

/// How refusals are worded.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Errors {
    /// `rfc6750` or `istio`. Default: `rfc6750`.
    pub style: Option<String>,
}

/// A policy (`AuthorizationPolicy.spec`, with its metadata's names).
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AuthorizationPolicy {
    /// What logs and refusals call it.
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

/// One rule: any of `from`, any of `to`, all of `when`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// What refusals call it. Default: its number.
    pub name: Option<String>,
    /// Who. Default: anybody.
    pub from: Option<Vec<From>>,
    /// What. Default: anything.
    pub to: Option<Vec<To>>,
    /// What else. Default: nothing.
    pub when: Option<Vec<Condition>>,
}

/// Istio's wrapper around a source.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct From {
    /// The source.
    pub source: Option<Source>,
}

/// Istio's wrapper around an operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct To {
    /// The operation.
    pub operation: Option<Operation>,
}

/// Who: every field must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Istio's, each with its `not`")]
pub struct Source {
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

/// What: every field must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Istio's, each with its `not`")]
pub struct Operation {
    pub hosts: Option<Vec<String>>,
    pub not_hosts: Option<Vec<String>>,
    pub ports: Option<Vec<Scalar>>,
    pub not_ports: Option<Vec<Scalar>>,
    pub methods: Option<Vec<String>>,
    pub not_methods: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub not_paths: Option<Vec<String>>,
}

/// What else must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Condition {
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
    pub fn asks(&self) -> bool {
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
    pub fn asks(&self) -> bool {
        let texts = [&self.hosts, &self.not_hosts, &self.methods, &self.not_methods, &self.paths, &self.not_paths];
        texts.into_iter().flatten().any(|values| !values.is_empty())
            || [&self.ports, &self.not_ports].into_iter().flatten().any(|values| !values.is_empty())
    }
}

impl Condition {
    /// Whether anything is asked of the key.
    pub fn asks(&self) -> bool {
        let lists = [&self.values, &self.not_values, &self.all_of];
        lists.into_iter().flatten().any(|values| !values.is_empty())
            || [&self.matches, &self.values_from].into_iter().flatten().any(|values| !values.is_empty())
            || self.min.is_some()
            || self.max.is_some()
    }
}

/// A text, a number or a boolean; compared as the text it has in JSON.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "no scalar, expected text, a number or a boolean")]
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

impl Config {
    /// Reads the shapes. What does not fit becomes a problem and is read as if it had not been written, so that the next
    /// problem is found too.
    pub fn read(object: Map<String, Value>) -> (Self, Problems) {
        let mut value = Value::Object(object);
        let mut problems = Problems::default();
        for _ in 0..MOST_PROBLEMS {
            let error = match serde_path_to_error::deserialize::<_, Self>(&value) {
                Ok(config) => return (config, problems),
                Err(error) => error,
            };
            let path: Vec<Segment> = error.path().iter().cloned().collect();
            let sentence = error.inner().to_string();
            let written = find(&mut value, &path).map(|written| std::mem::replace(written, stand_in(&sentence)));
            problems.push(problem(&error.path().to_string(), &sentence, written.as_ref()));
            if !remove_member(&mut value, &path) && written.is_none() {
                break;
            }
        }
        (Self::default(), problems)
    }
}

/// serde says `unknown field …, expected one of …` or `invalid type: …, expected …`; users are told the same in our words.
fn problem(path: &str, sentence: &str, written: Option<&Value>) -> Problem {
    let (found, expected) = sentence.split_once(", expected ").unwrap_or((sentence, ""));
    if let Some(name) = found.strip_prefix("unknown field ") {
        let name = name.trim_matches('`');
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        return Problem::new(path, format!("{} is not a field here", shown(name))).suggest(name, &known);
    }
    let expected = match expected {
        "a sequence" => "a list",
        "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" => "text",
        other if other.starts_with("struct ") => "an object",
        other => other,
    };
    let problem = |found: String| Problem::new(path, format!("{found}, not {expected}"));
    // Lists and objects are not shown: they may hold a secret.
    match written {
        Some(Value::String(text)) if expected == "`true` or `false`" && matches!(text.as_str(), "true" | "false") => {
            problem(format!("{} is text", shown(text))).help("write it without quotes")
        }
        Some(Value::String(text)) if expected == "a list" => {
            problem(format!("{} is text", shown(text))).help("put it into brackets, `[` and `]`")
        }
        Some(Value::String(text)) => problem(format!("{} is text", shown(text))),
        Some(Value::Number(number)) if DURATIONS.iter().any(|name| path.ends_with(name)) => {
            problem(format!("`{number}` is a number")).help(format!("write it with its unit, as in `{number}s`"))
        }
        Some(Value::Number(number)) if expected == "text" => {
            problem(format!("`{number}` is a number")).help("write it in quotes")
        }
        Some(Value::Number(number)) => problem(format!("`{number}` is a number")),
        Some(Value::Bool(flag)) => problem(format!("`{flag}` is a boolean")),
        Some(Value::Array(_)) => problem("it is a list".to_owned()),
        Some(Value::Object(_)) => problem("it is an object".to_owned()),
        Some(Value::Null) | None => problem("it is nothing".to_owned()),
    }
}

/// Something of the expected shape that says nothing, for a list element that can't be taken out without moving the rest.
fn stand_in(sentence: &str) -> Value {
    if sentence.contains("expected a string") || sentence.contains("expected text") {
        Value::String(String::new())
    } else {
        Value::Object(Map::new())
    }
}

fn find<'a>(value: &'a mut Value, path: &[Segment]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Map { key } => value.get_mut(key),
        Segment::Seq { index } => value.get_mut(index),
        _ => None,
    })
}

fn remove_member(value: &mut Value, path: &[Segment]) -> bool {
    let Some((Segment::Map { key }, parents)) = path.split_last() else {
        return false;
    };
    find(value, parents).and_then(Value::as_object_mut).is_some_and(|object| object.remove(key).is_some())
}
