//! What the papers say, held against the code: every configuration in them parses, every field and every reason is there.
//!
//! A block of `yaml` or `json` is a whole configuration, `yaml rule` some fields of a rule, `yaml fields` some of the whole,
//! `yaml envoy` a part of Envoy's configuration with claimgate's in it, `yaml bootstrap` and `yaml route` one without, `yaml
//! istio` a WasmPlugin. A block of `console` is run: see `tests/troubleshooting.rs`.
#![cfg(test)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use claimgate::{
    config::{Config, schema},
    oauth::jwks_source::JwksLocation,
    reason::Reason,
};
use jsonschema::draft7;
use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every paper: the Markdown files of the root and of `docs`.
fn papers() -> Vec<PathBuf> {
    let folders = [Path::new(ROOT).to_path_buf(), Path::new(ROOT).join("docs")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut papers: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    papers.sort();
    papers
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a text: the line they start in, their info string and what they hold.
fn blocks(text: &str) -> Vec<(usize, String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) if !info.starts_with('`') => open = Some((number + 1, info.to_owned(), String::new())),
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some((_, _, body)), _) => *body += &format!("{line}\n"),
            (None, _) => (),
        }
    }
    assert!(open.is_none(), "a block is never closed: {open:?}");
    blocks
}

fn yaml(text: &str) -> Value {
    serde_norway::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// The configuration that a block holds, as the proxy is given it; `None` if it holds none.
fn configuration(info: &str, body: &str) -> Option<String> {
    match info {
        "json" => Some(body.to_owned()),
        "yaml" => Some(yaml(body).to_string()),
        "yaml rule" => {
            let mut rule = json!({
                "issuer": "https://idp.example.com",
                "audiences": ["api://payments"],
                "presence": "REQUIRED",
                "jwks": {"keys": [{
                    "kty": "EC", "crv": "P-256",
                    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                }]},
            });
            rule.as_object_mut().unwrap().extend(yaml(body).as_object().unwrap().clone());
            Some(json!({ "jwtRules": [rule] }).to_string())
        }
        "yaml fields" => {
            let mut whole = yaml(&configuration("yaml rule", "{}").unwrap());
            whole.as_object_mut().unwrap().extend(yaml(body).as_object().unwrap().clone());
            Some(whole.to_string())
        }
        "yaml envoy" => Some(in_envoy(&yaml(body)).unwrap_or_else(|| panic!("no StringValue in\n{body}"))),
        "yaml bootstrap" | "yaml route" => None,
        "yaml istio" => Some(yaml(body).pointer("/spec/pluginConfig").unwrap().to_string()),
        _ => {
            assert!(!info.contains("yaml") && !info.contains("json"), "`{info}` is no kind of block");
            None
        }
    }
}

/// The text of the first `configuration` that is a StringValue, at any depth.
fn in_envoy(value: &Value) -> Option<String> {
    let here = value.get("configuration").filter(|configuration| {
        configuration["@type"].as_str() == Some("type.googleapis.com/google.protobuf.StringValue")
    });
    if let Some(text) = here.and_then(|configuration| configuration["value"].as_str()) {
        return Some(text.to_owned());
    }
    match value {
        Value::Array(list) => list.iter().find_map(in_envoy),
        Value::Object(members) => members.values().find_map(in_envoy),
        _ => None,
    }
}

/// As istiod sends a Struct: it knows no numbers but doubles.
fn with_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64().unwrap()),
        Value::Array(list) => list.iter_mut().for_each(with_doubles),
        Value::Object(members) => members.values_mut().for_each(with_doubles),
        _ => (),
    }
}

/// The checked configuration as text, to compare two of them.
fn meaning(configuration: &str) -> String {
    let (config, problems) = Config::parse(configuration.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(!problems.iter().any(|_| true), "{problems:?}");
    format!("{config:?}")
}

/// The rows of every table whose first heading is this one, without the headings.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            is_inside &= line.starts_with("|--");
            continue;
        };
        let cells: Vec<String> = cells.split(" | ").map(str::to_owned).collect();
        if is_inside {
            rows.push(cells);
        } else {
            is_inside = cells[0] == heading;
        }
    }
    rows
}

/// What stands between backticks, outside of blocks.
fn quoted(text: &str) -> Vec<String> {
    let mut is_block = false;
    let prose = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        is_block ^= fence;
        !is_block && !fence
    });
    prose.flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Every field of the configuration, those of a rule as they are called in it: `errors.style`, `fromHeaders[].name`.
fn fields_of_the_code() -> BTreeSet<String> {
    schema::fields().into_iter().map(|field| field.path).collect()
}

#[test]
fn every_configuration_parses() {
    let validator = draft7::new(&schema::schema()).unwrap();
    let mut count = 0;
    let mut complaints = Vec::new();
    for paper in papers() {
        for (line, info, body) in blocks(&fs::read_to_string(&paper).unwrap()) {
            let Some(configuration) = configuration(&info, &body) else { continue };
            count += 1;
            match Config::parse(configuration.as_bytes()) {
                Ok((_, problems)) if !problems.iter().any(|_| true) => (),
                Ok((_, problems)) | Err(problems) => {
                    complaints.push(format!("{}:{line}: {problems:?}", paper.display()))
                }
            }
            if let Err(error) = validator.validate(&serde_json::from_str(&configuration).unwrap()) {
                complaints.push(format!("{}:{line}: {}: {error}", paper.display(), error.instance_path()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(count >= 10, "{count} configurations found");
}

/// The examples beside the papers are whole, and neither the filter nor the schema has a word about them.
#[test]
fn every_example_is_good() {
    let validator = draft7::new(&schema::schema()).unwrap();
    let istio = |file: &str| {
        let text = read(file);
        let documents: Vec<Value> = text.split("\n---\n").map(yaml).collect();
        documents.iter().find_map(|document| document.pointer("/spec/pluginConfig")).unwrap().to_string()
    };
    let envoy = |file: &str| in_envoy(&yaml(&read(file))).unwrap();
    for (file, configuration) in [
        ("envoy/envoy.yaml", envoy("envoy/envoy.yaml")),
        ("envoy/route-by-claim.yaml", envoy("envoy/route-by-claim.yaml")),
        ("envoy/istio/wasmplugin.yaml", istio("envoy/istio/wasmplugin.yaml")),
        ("envoy/istio/keys.yaml", istio("envoy/istio/keys.yaml")),
    ] {
        meaning(&configuration);
        let value = serde_json::from_str(&configuration).unwrap();
        validator.validate(&value).unwrap_or_else(|error| panic!("{file}: {}: {error}", error.instance_path()));
    }
}

#[test]
fn envoy_and_istio_have_the_same_configuration() {
    let envoy = in_envoy(&yaml(&read("envoy/envoy.yaml"))).unwrap();
    let mut istio = yaml(&read("envoy/istio/wasmplugin.yaml")).pointer("/spec/pluginConfig").unwrap().clone();
    with_doubles(&mut istio);
    assert_eq!(meaning(&istio.to_string()), meaning(&envoy));
}

/// The cluster that a ServiceEntry makes is the one that claimgate looks for.
#[test]
fn istio_makes_the_cluster_that_keys_are_fetched_through() {
    let text = read("envoy/istio/keys.yaml");
    let documents: Vec<Value> = text.split("\n---\n").map(yaml).collect();
    let [entry, rule, plugin] = documents.as_slice() else { panic!("{} documents", documents.len()) };
    let (host, port) = (entry["spec"]["hosts"][0].as_str().unwrap(), &entry["spec"]["ports"][0]["number"]);
    assert_eq!(rule["spec"]["host"], host);
    assert_eq!(rule["spec"]["trafficPolicy"]["tls"]["sni"], host);
    let (config, problems) = Config::parse(plugin["spec"]["pluginConfig"].to_string().as_bytes()).unwrap();
    assert!(!problems.iter().any(|_| true), "{problems:?}");
    let JwksLocation::Uri(keys) = &config.sources[0].location else { panic!("it is discovered") };
    let cluster = yaml(&read("envoy/keys.yaml"));
    assert_eq!(keys.cluster, format!("outbound|{port}||{host}"));
    assert_eq!(cluster["name"], keys.cluster.as_str());
}

#[test]
fn the_readme_pastes_what_the_demo_runs() {
    let readme = read("README.md");
    let pasted = blocks(&readme).into_iter().find(|(_, info, _)| info == "yaml envoy").unwrap().2;
    let envoy = in_envoy(&yaml(&read("envoy/envoy.yaml"))).unwrap();
    assert_eq!(meaning(&in_envoy(&yaml(&pasted)).unwrap()), meaning(&envoy));
}

#[test]
fn the_routes_by_claims_are_those_of_the_example() {
    let paper = read("docs/configuration.md");
    let (_, _, block) = blocks(&paper).into_iter().find(|(_, info, _)| info == "yaml route").unwrap();
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let example = yaml(&read("envoy/route-by-claim.yaml"));
    let routes = example.pointer(&format!("{manager}/route_config/virtual_hosts/0/routes"));
    assert_eq!(yaml(&block).get("routes"), routes);
}

/// The tables between `<!-- fields: … -->` and `<!-- /fields -->` are made of the declarations. With `CLAIMGATE_BLESS` set
/// they are made anew.
#[test]
fn every_field_has_its_row() {
    const FILE: &str = "docs/configuration.md";
    let text = read(FILE);
    let mut parts = text.split("<!-- fields: ");
    let mut made = parts.next().unwrap().to_owned();
    let mut listed = Vec::new();
    for part in parts {
        let (groups, rest) = part.split_once(" -->\n").unwrap();
        let (_, rest) = rest.split_once("<!-- /fields -->\n").unwrap();
        let groups: Vec<&str> = groups.split(' ').collect();
        made += &format!("<!-- fields: {} -->\n{}<!-- /fields -->\n{rest}", groups.join(" "), schema::table(&groups));
        listed.extend(groups);
    }
    if env::var_os("CLAIMGATE_BLESS").is_some() {
        fs::write(Path::new(ROOT).join(FILE), &made).unwrap();
    }
    assert!(made == read(FILE), "{FILE} is old: run `CLAIMGATE_BLESS=1 cargo test --test documents`");
    let set: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), set.len(), "fields are listed twice: {listed:?}");
    assert_eq!(set, schema::fields().iter().map(|field| field.group).collect());
}

#[test]
#[cfg(feature = "cli")]
fn the_page_of_reasons_is_made_of_the_code() {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_claimgate")).arg("reasons").output().unwrap().stdout;
    let is_fresh = String::from_utf8(printed).unwrap() == read("docs/reasons.md");
    assert!(is_fresh, "docs/reasons.md is old: run `cargo run -- reasons > docs/reasons.md`");
}

#[test]
fn every_reason_has_its_row() {
    let text = read("docs/reasons.md");
    let rows = rows(&text, "Code");
    let listed: Vec<[&str; 3]> = rows.iter().map(|row| [&row[0], &row[1], &row[3]].map(String::as_str)).collect();
    let expected: Vec<[String; 3]> = Reason::ALL
        .iter()
        .map(|reason| {
            let (status, body) = reason.envoy();
            [format!("`{}`", reason.code()), reason.status().to_string(), format!("{status} `{body}`")]
        })
        .collect();
    assert_eq!(listed, expected.iter().map(|row| row.each_ref().map(String::as_str)).collect::<Vec<_>>());
    for reason in Reason::ALL {
        let heading = format!("\n## {}\n", reason.code());
        assert_eq!(text.matches(&heading).count(), 1, "{heading}");
    }
}

/// A word such as `jwtRules` in a paper is a field, or one of the words of others.
#[test]
fn no_paper_speaks_of_fields_that_are_not() {
    const OF_OTHERS: [&str; 6] =
        ["pluginConfig", "failStrategy", "extraStatTags", "allowMethods", "allowHeaders", "maxAge"];
    let fields = fields_of_the_code();
    let known: BTreeSet<&str> = fields.iter().flat_map(|field| field.split(['.', '[', ']'])).chain(OF_OTHERS).collect();
    for paper in papers() {
        for word in quoted(&fs::read_to_string(&paper).unwrap()) {
            let word = word.split([':', ' ', '.', '[']).next().unwrap();
            let is_camel = word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().any(|c| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_alphabetic());
            assert!(!is_camel || known.contains(word), "{}: `{word}` is no field", paper.display());
        }
    }
}

/// Links and paths in backticks lead somewhere.
#[test]
fn every_path_exists() {
    const FOLDERS: [&str; 6] = ["src/", "tests/", "envoy/", "docs/", "examples/", ".ci/"];
    for paper in papers() {
        let text = fs::read_to_string(&paper).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in links.filter(|target| !target.starts_with(['#', 'h'])) {
            let file = target.split('#').next().unwrap();
            assert!(paper.with_file_name(file).exists(), "{}: {target} does not exist", paper.display());
        }
        for path in quoted(&text).iter().filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder))) {
            if !path.contains(['<', '*', ' ']) {
                assert!(Path::new(ROOT).join(path).exists(), "{}: {path} does not exist", paper.display());
            }
        }
    }
}
