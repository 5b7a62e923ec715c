//! The JSON Schema of the configuration, by a validator that knows nothing of claimgate: it takes what the filter takes, and
//! refuses what is broken, but for what no schema can know.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use claimgate::config::{Config, schema};
use jsonschema::{Validator, draft7};
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Broken in ways that no schema can know: fields, rules or policies that do not go together, key sets without a usable key, a
/// duration that is too long, values whose meaning depends on the style, nothing at all.
const BEYOND_A_SCHEMA: [&str; 17] = [
    "conflicts",
    "debug_taken",
    "duplicate",
    "durations_long",
    "keys_both",
    "keys_missing",
    "keys_none",
    "keys_secret",
    "many",
    "mesh_aliases",
    "no_rules",
    "policies_debug_header",
    "policies_output_twin",
    "policies_impossible",
    "policies_selected_several",
    "prefixes",
    "replies_istio",
];

fn validator() -> Validator {
    draft7::new(&schema::schema()).unwrap()
}

/// The configurations of `tests/config` that are JSON values, by name.
fn configurations() -> Vec<(String, Value)> {
    let entries = fs::read_dir(Path::new(ROOT).join("tests/config")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().unwrap() != "problems").collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read(path).unwrap();
        let is_json = path.extension().unwrap() == "json";
        let value = if is_json { serde_json::from_slice(&text).ok() } else { serde_norway::from_slice(&text).ok() }?;
        Some((path.file_stem().unwrap().to_str().unwrap().to_owned(), value))
    };
    files.iter().filter_map(read).collect()
}

#[test]
fn the_command_prints_the_schema_of_the_repository() {
    let printed = Command::new(env!("CARGO_BIN_EXE_claimgate")).arg("schema").output().unwrap().stdout;
    let committed = fs::read(Path::new(ROOT).join("schema/config.schema.json")).unwrap();
    assert!(printed == committed, "it is old: run `cargo run -- schema > schema/config.schema.json`");
}

#[test]
fn it_is_a_schema() {
    draft7::meta::validate(&schema::schema()).unwrap();
}

#[test]
fn it_takes_what_the_filter_takes() {
    let validator = validator();
    let mut count = 0;
    for (name, value) in configurations() {
        if Config::parse(value.to_string().as_bytes()).is_ok() {
            count += 1;
            validator.validate(&value).unwrap_or_else(|error| panic!("{name}: {}: {error}", error.instance_path()));
        }
    }
    assert!(count > 10, "{count} configurations are good");
}

#[test]
fn it_takes_every_configuration_of_the_corpus() {
    let validator = validator();
    for file in claimgate_testing::case::corpus() {
        validator
            .validate(&file.config)
            .unwrap_or_else(|error| panic!("{}: {}: {error}", file.name, error.instance_path()));
    }
}

#[test]
fn it_refuses_what_is_broken() {
    let validator = validator();
    let broken = configurations().into_iter().filter(|(_, value)| Config::parse(value.to_string().as_bytes()).is_err());
    let taken: BTreeSet<String> = broken.filter(|(_, value)| validator.is_valid(value)).map(|(name, _)| name).collect();
    let expected: BTreeSet<String> = BEYOND_A_SCHEMA.map(str::to_owned).into();
    assert_eq!(taken, expected);
}

/// Every value that the reader refuses for its shape, the schema refuses too, at every field.
#[test]
fn no_field_takes_a_value_of_another_shape() {
    let validator = validator();
    let mut tried = 0;
    try_all(&schema::schema(), &mut Vec::new(), &mut |path, is_any| {
        if is_any {
            return;
        }
        tried += 1;
        // No field takes a list in a list.
        let mut value = json!([[true]]);
        for step in path.iter().rev() {
            value = if step == "[]" { json!([value]) } else { json!({ step: value }) };
        }
        assert!(!validator.is_valid(&value), "{path:?}");
        assert!(Config::parse(value.to_string().as_bytes()).is_err(), "{path:?}");
    });
    assert!(tried > 80, "{tried} fields");
}

fn try_all(schema: &Value, path: &mut Vec<String>, check: &mut dyn FnMut(&[String], bool)) {
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        check(path, schema.get("type").or(schema.get("enum")).or(schema.get("anyOf")).is_none());
        // The members of a key set are not a configuration's.
        if schema.get("items").is_some() {
            path.push("[]".to_owned());
            try_all(&schema["items"], path, check);
            path.pop();
        }
        try_all(schema, path, check);
        path.pop();
    }
}
