//! Metrics: the paper holds to the table in the code, and traffic can't make up stats.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't read its document has failed"
)]

use std::{collections::BTreeSet, fs, path::Path};

use claimgate::{
    decision::Denial,
    keys::fetch::FetchError,
    metric::{Kind, Metric},
};
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
fn the_paper_has_every_metric_in_order() {
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

/// One snippet in four places: the demo, the paper, Istio's bootstrap, and what the tests in Envoy run.
#[test]
fn every_label_has_its_tag_everywhere() {
    let demo = yaml(&read("envoy/envoy.yaml"))["stats_config"].clone();
    let names = demo["stats_tags"].as_array().unwrap().iter().map(|tag| tag["tag_name"].as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), labels());
    let paper = read("docs/metrics.md");
    let block = paper.split("```yaml bootstrap\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(yaml(block)["stats_config"], demo);
    let istio = yaml(&read("envoy/istio/stats-tags.yaml"));
    assert_eq!(istio["spec"]["configPatches"][0]["patch"]["value"]["stats_config"], demo);
}

/// Whatever a server answers, and whatever a name is made of.
#[test]
fn what_others_send_makes_up_no_stat() {
    let classes: BTreeSet<_> = (0..=u16::MAX).map(|status| FetchError::Status(status).class().into_owned()).collect();
    assert_eq!(classes.len(), 501);
    let reasons: BTreeSet<_> = Denial::ALL.iter().map(|denial| denial.code()).collect();
    for value in reasons.iter().copied().chain(classes.iter().map(String::as_str)) {
        assert!(Metric::KEY_FETCHES.stat(&["idp", value]).ends_with(&format!(".result={value}")), "{value}");
    }
    let odd = (0..=0x3000).filter_map(char::from_u32).collect::<String>();
    let stat = Metric::DECISIONS.stat(&["refused", &odd, "token_expired", &odd]);
    assert_eq!(stat.split('.').count(), 2 + Metric::DECISIONS.labels.len());
    assert!(stat.is_ascii() && !stat.contains([' ', ':', '"', '|', '#', '\n']));
}
