//! The documents are in plain English: no word of the list in CONTRIBUTING.md, section "Words".
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;

/// Each as a regular expression, between word boundaries.
const BANNED: [&str; 8] = [
    "papers?",
    "mend(s|ed|ing)?",
    "nobody('s)?",
    "at a desk",
    "can't be had",
    "belongs? into",
    "to charge takes the group",
    "for want of",
];

/// The Markdown files of the root and of `docs`.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = [root.to_path_buf(), root.join("docs")].into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut documents: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents
}

/// The prose with the same line breaks: without fenced blocks, code in backticks, and the changelog of past releases.
fn prose(text: &str) -> String {
    let mut is_block = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("## [") && line != "## [Unreleased]" {
            break;
        }
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        lines.push(if is_block || is_fence { String::new() } else { line.split('`').step_by(2).collect() });
    }
    lines.join("\n")
}

/// The banned words of a text, each with its line. A turn may go across a line break.
fn banned(text: &str) -> Vec<(usize, String)> {
    let words = BANNED.join("|").replace(' ', r"\s+");
    let expression = Regex::new(&format!(r"(?i)\b({words})\b")).unwrap();
    let prose = prose(text).replace('\u{2019}', "'");
    let line = |offset| prose.get(..offset).unwrap().matches('\n').count() + 1;
    expression.find_iter(&prose).map(|found| (line(found.start()), found.as_str().replace('\n', " "))).collect()
}

#[test]
fn documents_have_no_banned_words() {
    let documents = documents();
    let mut found = Vec::new();
    for document in &documents {
        for (line, words) in banned(&fs::read_to_string(document).unwrap()) {
            found.push(format!("{}:{line}: `{words}`", document.display()));
        }
    }
    assert!(found.is_empty(), "see the section Words of CONTRIBUTING.md:\n{}", found.join("\n"));
    assert!(documents.len() >= 10, "{} documents", documents.len());
}

#[test]
fn a_banned_word_is_found() {
    for (text, line, words) in [
        ("A paper.", 1, "paper"),
        ("one\n\nHow to MEND it", 3, "MEND"),
        ("Nobody's keys", 1, "Nobody's"),
        ("what is said at a\ndesk", 1, "at a desk"),
        ("keys that can\u{2019}t be had", 1, "can't be had"),
        ("```sh\ncode\n```\nmended", 4, "mended"),
    ] {
        assert_eq!(banned(text), [(line, words.to_owned())], "{text}");
    }
    for text in ["amendment", "```\npaper\n```", "`mend`", "newspaper", "## [0.1.0]\n\n- mend"] {
        assert_eq!(banned(text), [], "{text}");
    }
}
