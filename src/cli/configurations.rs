//! Every configuration of the filter in the text of a file.

use claimgate::{config::Problem, jose::json};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::configuration::{Configuration, has_rules};

/// At least one, in order, each with a name of its own.
pub(super) struct Configurations {
    pub(super) list: Vec<Configuration>,
    /// The plugins that are left out, because they are for other modules.
    pub(super) left_out: Vec<Problem>,
}

impl Configurations {
    pub(super) fn in_text(text: &str) -> Result<Self, serde_norway::Error> {
        let documents = documents(text)?;
        let inside: Vec<_> = documents.iter().map(Configuration::inside).collect();
        let is_deployed = inside.iter().any(|found| !found.is_empty());
        // JSON of its own stays as it is, so that a name written twice is found.
        if !is_deployed && documents.len() <= 1 && is_object(text) {
            return Ok(Self::told_apart(vec![Configuration::plain(1, text.to_owned())]));
        }
        let mut list = Vec::new();
        for (number, (document, inside)) in (1..).zip(documents.iter().zip(inside)) {
            if inside.is_empty() && is_plain(document, is_deployed) {
                list.push(Configuration::plain(number, document.to_string()));
            }
            list.extend(inside);
        }
        if list.is_empty() {
            list.push(Configuration::plain(1, documents.first().unwrap_or(&Value::Null).to_string()));
        }
        Ok(Self::told_apart(list))
    }

    fn told_apart(list: Vec<Configuration>) -> Self {
        let is_known = list.iter().any(|configuration| configuration.is_for_claimgate);
        let (mut list, others): (Vec<_>, Vec<_>) =
            list.into_iter().partition(|configuration| configuration.is_for_claimgate || !is_known);
        let names: Vec<String> = list.iter().map(|configuration| configuration.name.clone()).collect();
        for (number, configuration) in (1..).zip(&mut list) {
            if names.iter().filter(|name| **name == configuration.name).count() > 1 {
                configuration.name = format!("{} ({number} of {})", configuration.name, names.len());
            }
        }
        Self { list, left_out: others.into_iter().map(left_out).collect() }
    }
}

/// Beside a WasmPlugin or an Envoy configuration, other documents are something else unless they have rules.
fn is_plain(document: &Value, is_deployed: bool) -> bool {
    let is_kubernetes = document.get("kind").is_some() && document.get("apiVersion").is_some();
    if is_deployed { has_rules(document) } else { !document.is_null() && !is_kubernetes }
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// JSON, or the documents of YAML up to the first error, which the parser would return again without end.
fn documents(text: &str) -> Result<Vec<Value>, serde_norway::Error> {
    match json::object(text.as_bytes()) {
        Ok(members) => Ok(vec![Value::Object(members)]),
        // JSON with a name written twice is not YAML, but the filter says where it is.
        Err(_) if is_object(text) && serde_json::from_str::<IgnoredAny>(text).is_ok() => Ok(Vec::new()),
        Err(_) => serde_norway::Deserializer::from_str(text)
            // By way of YAML's own values: they refuse a name written twice.
            .map(|document| serde_norway::from_value(serde_norway::Value::deserialize(document)?))
            .collect(),
    }
}

fn left_out(configuration: Configuration) -> Problem {
    Problem::new(configuration.name, "it is not checked: neither its name, its `url` nor its fields are claimgate's")
        .help("if it is for claimgate, check it in a file of its own")
        .warning()
}
