//! Metrics: the document, the alerts and the dashboard match the table in the code, and traffic cannot create stats.
#![cfg(test)]

use std::{collections::BTreeSet, fs, path::Path};

use claimgate::{
    metric::{Kind, Metric},
    outbound::call::CallError,
    reason::Reason,
};
use regex_lite::Regex;
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(text: &str) -> Value {
    serde_norway::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn labels() -> BTreeSet<&'static str> {
    Metric::ALL.iter().flat_map(|metric| metric.labels).copied().collect()
}

#[test]
fn the_document_has_every_metric_in_order() {
    let text = read("docs/metrics.md");
    let table = text.split("| Metric |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    let rows: Vec<String> = rows.map(|row| row.split(" | ").take(3).collect::<Vec<_>>().join(" | ")).collect();
    let expected = Metric::ALL.iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        format!("| `claimgate_{}` | {labels} | {kind}", metric.name)
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

/// One snippet in four places: the demo, docs/metrics.md, Istio's bootstrap, and the tests in Envoy.
#[test]
fn every_label_has_its_tag_everywhere() {
    let demo = yaml(&read("envoy/envoy.yaml"))["stats_config"].clone();
    let names = demo["stats_tags"].as_array().unwrap().iter().map(|tag| tag["tag_name"].as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), labels());
    let document = read("docs/metrics.md");
    let block = document.split("```yaml bootstrap\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(yaml(block)["stats_config"], demo);
    let istio = yaml(&read("envoy/istio/stats-tags.yaml"));
    assert_eq!(istio["spec"]["configPatches"][0]["patch"]["value"]["stats_config"], demo);
}

/// Every metric of a query exists and has the labels used; a query groups by labels of its metrics.
fn check(query: &str) {
    let selector = Regex::new(r"claimgate_(\w+)(?:\{([^}]*)\})?").unwrap();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for found in selector.captures_iter(query) {
        let metric = Metric::ALL.into_iter().find(|metric| metric.name == &found[1]);
        let metric = metric.unwrap_or_else(|| panic!("there is no {} in: {query}", &found[0]));
        known.extend(metric.labels);
        let matched = found.get(2).map_or("", |matchers| matchers.as_str()).split(',').filter(|it| !it.is_empty());
        for label in matched.map(|matcher| matcher.split(['=', '!']).next().unwrap().trim()) {
            assert!(metric.labels.contains(&label), "{} has no label {label}: {query}", metric.name);
        }
    }
    assert!(query.contains("claimgate_"), "it asks nothing of claimgate: {query}");
    for by in Regex::new(r"by \(([^)]*)\)").unwrap().captures_iter(query) {
        assert!(by[1].split(", ").all(|label| known.contains(label)), "{} in: {query}", &by[1]);
    }
    assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    let alerts = yaml(&read("envoy/prometheus/alerts.yaml"));
    let document = read("docs/metrics.md");
    let rules = alerts["groups"][0]["rules"].as_array().unwrap();
    for rule in rules {
        check(rule["expr"].as_str().unwrap());
        let name = rule["alert"].as_str().unwrap();
        assert!(document.contains(&format!("| `{name}` |")), "docs/metrics.md does not have {name}");
        assert!(rule["annotations"]["summary"].is_string() && rule["labels"]["severity"].is_string(), "{name}");
        let split: Vec<String> = Regex::new(r"by \(([^)]*)\)")
            .unwrap()
            .captures(rule["expr"].as_str().unwrap())
            .map_or(Vec::new(), |by| by[1].split(", ").map(str::to_owned).collect());
        for shown in Regex::new(r"\$labels\.(\w+)").unwrap().captures_iter(&rule["annotations"].to_string()) {
            assert!(split.contains(&shown[1].to_owned()), "{name} shows {}", &shown[1]);
        }
    }
    assert_eq!(document.matches("| `Claimgate").count(), rules.len());
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("envoy/grafana/claimgate.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut queries = Vec::new();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            check(query);
            for shown in Regex::new(r"\{\{(\w+)\}\}").unwrap().captures_iter(target["legendFormat"].as_str().unwrap()) {
                assert!(query.contains(&shown[1]), "{} is not in {query}", &shown[1]);
            }
            queries.push(query);
        }
    }
    let all = queries.join("\n");
    for metric in Metric::ALL {
        assert!(all.contains(&format!("claimgate_{}", metric.name)), "no panel shows {}", metric.name);
    }
    let places: BTreeSet<String> = panels.iter().map(|panel| panel["gridPos"].to_string()).collect();
    assert_eq!(places.len(), panels.len(), "two panels lie on each other");
}

/// For every answer of a server, and every character in a name.
#[test]
fn what_others_send_makes_up_no_stat() {
    let classes: BTreeSet<_> = (0..=u16::MAX).map(|status| CallError::Status(status).class().into_owned()).collect();
    assert_eq!(classes.len(), 501);
    let reasons: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for value in reasons.iter().copied().chain(classes.iter().map(String::as_str)) {
        assert!(Metric::KEY_FETCHES.stat(&["idp", value]).ends_with(&format!(".result={value}")), "{value}");
    }
    let odd = (0..=0x3000).filter_map(char::from_u32).collect::<String>();
    let stat = Metric::DECISIONS.stat(&["denied", &odd, "token_expired", &odd]);
    assert_eq!(stat.split('.').count(), 2 + Metric::DECISIONS.labels.len());
    assert!(stat.is_ascii() && !stat.contains([' ', ':', '"', '|', '#', '\n']));
}
