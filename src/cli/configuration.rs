//! The filter's configuration as a file holds it: of its own, in an Istio WasmPlugin, or in a filter of Envoy.

use claimgate::config::Problem;
use serde_json::Value;

/// One configuration, not yet read.
pub(super) struct Configuration {
    /// What tells it from the others of its file.
    pub(super) name: String,
    pub(super) json: String,
    /// What is wrong around it.
    pub(super) surroundings: Vec<Problem>,
    /// Whether it is known to be for claimgate, and not for another module.
    pub(super) is_for_claimgate: bool,
}

impl Configuration {
    /// A document of its own.
    pub(super) fn plain(number: usize, json: String) -> Self {
        Self { name: format!("document {number}"), json, surroundings: Vec::new(), is_for_claimgate: true }
    }

    /// All that are inside of a document, in order.
    pub(super) fn inside(document: &Value) -> Vec<Self> {
        match document.get("kind").and_then(Value::as_str) {
            Some("WasmPlugin") => vec![Self::of_istio(document)],
            Some("List") => {
                document.get("items").and_then(Value::as_array).into_iter().flatten().flat_map(Self::inside).collect()
            }
            _ => Self::in_envoy(document, None),
        }
    }

    fn of_istio(plugin: &Value) -> Self {
        let text = |pointer| plugin.pointer(pointer).and_then(Value::as_str);
        let name = text("/metadata/name").unwrap_or("WasmPlugin");
        let configuration = plugin.pointer("/spec/pluginConfig");
        let is_open = text("/spec/failStrategy") == Some("FAIL_OPEN");
        let help = "write `FAIL_RELOAD`, or `FAIL_CLOSE` before Istio 1.27";
        Self {
            name: text("/metadata/namespace").map_or(name.to_owned(), |namespace| format!("{namespace}/{name}")),
            json: configuration.map(Value::to_string).unwrap_or_default(),
            surroundings: is_open.then(|| fail_open("spec.failStrategy", help)).into_iter().collect(),
            is_for_claimgate: configuration.is_some_and(has_rules)
                || [Some(name), text("/spec/url")].into_iter().flatten().any(|text| text.contains("claimgate")),
        }
    }

    /// At any depth, with the nearest `name` around it.
    fn in_envoy(value: &Value, name: Option<&str>) -> Vec<Self> {
        let name = value.get("name").and_then(Value::as_str).or(name);
        if let Some(found) = Self::of_envoy(value, name) {
            return vec![found];
        }
        match value {
            Value::Array(list) => list.iter().flat_map(|item| Self::in_envoy(item, name)).collect(),
            Value::Object(members) => members.values().flat_map(|member| Self::in_envoy(member, name)).collect(),
            _ => Vec::new(),
        }
    }

    /// In Envoy's `PluginConfig`.
    fn of_envoy(plugin: &Value, name: Option<&str>) -> Option<Self> {
        let configuration = plugin.pointer("/configuration/value");
        let module = either(plugin, ["vm_config", "vmConfig"]);
        let is_named = module.is_some_and(|module| module.to_string().contains("claimgate"))
            || module.and(name).is_some_and(|name| name.contains("claimgate"));
        if !is_named && !configuration.is_some_and(has_rules) {
            return None;
        }
        let policy = either(plugin, ["failure_policy", "failurePolicy"]).and_then(Value::as_str);
        let fail_open_before = either(plugin, ["fail_open", "failOpen"]).and_then(Value::as_bool);
        let is_open = policy == Some("FAIL_OPEN") || fail_open_before == Some(true);
        let warning = is_open.then(|| fail_open("failure_policy", "write `FAIL_RELOAD`"));
        let (json, problem) = match configuration {
            None => (String::new(), None),
            Some(Value::String(json)) => (json.clone(), None),
            Some(fields) => (fields.to_string(), Some(not_text(plugin))),
        };
        Some(Self {
            name: name.unwrap_or("filter").to_owned(),
            json,
            surroundings: warning.into_iter().chain(problem).collect(),
            is_for_claimgate: true,
        })
    }
}

/// Whether it is the filter's configuration, as an object or as text.
pub(super) fn has_rules(value: &Value) -> bool {
    let names = ["jwtRules", "authorizationPolicies"];
    match value {
        Value::String(text) => names.iter().any(|name| text.contains(name)),
        _ => names.iter().any(|name| value.get(name).is_some()),
    }
}

/// A member in one of the two spellings that JSON has for a field of protobuf.
fn either<'v>(value: &'v Value, names: [&str; 2]) -> Option<&'v Value> {
    names.into_iter().find_map(|name| value.get(name))
}

fn fail_open(path: &str, help: &str) -> Problem {
    Problem::new(path, "`FAIL_OPEN` lets every request pass while the module is down").help(help).warning()
}

/// Envoy hands over the text of a `StringValue`; of other messages the module gets the bytes of protobuf.
fn not_text(plugin: &Value) -> Problem {
    let written = plugin.pointer("/configuration/@type").and_then(Value::as_str);
    let written = written.and_then(|url| url.rsplit('/').next()).unwrap_or("google.protobuf.Struct");
    Problem::new("configuration", format!("`{written}` arrives as protobuf, not as JSON, and the filter rejects it"))
        .help("use a `google.protobuf.StringValue` whose `value` is the JSON as text")
}
