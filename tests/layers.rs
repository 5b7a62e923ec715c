//! The order of the modules: `src/lib.rs` declares them from the lowest to the highest, and a module uses only what is
//! declared before it.
#![cfg(test)]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a file uses against the order: the file and the module.
type Violation = (String, String);

/// The modules in the order in which a `lib.rs` declares them.
fn order(lib: &str) -> Vec<&str> {
    let declared = lib.lines().map(|line| line.trim_start_matches("pub ")).filter_map(|line| line.strip_prefix("mod "));
    declared.filter_map(|rest| rest.strip_suffix(';')).collect()
}

/// The modules that a source text names behind `crate::`, be it in a path, in a group or in a comment's link.
fn used(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (_, rest) in text.match_indices("crate::").map(|(at, found)| text.split_at(at + found.len())) {
        match rest.strip_prefix('{') {
            None => used.push(first(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut is_start = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => is_start = true,
                        _ if is_start && !c.is_whitespace() => {
                            used.push(first(&group[at..]));
                            is_start = false;
                        }
                        _ => (),
                    }
                }
            }
        }
    }
    used
}

/// The modules of the crate that a file names by climbing out of its own, which is so deep.
fn climbed(text: &str, depth: usize) -> Vec<String> {
    let mut climbed = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("super::") {
        rest = &rest[at..];
        let mut height = 0;
        while let Some(above) = rest.strip_prefix("super::") {
            (rest, height) = (above, height + 1);
        }
        if height >= depth {
            climbed.push(first(rest));
        }
    }
    climbed
}

fn first(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Every use against the order in these files, each with its path below `src`.
fn violations(order: &[&str], files: &[(String, String)]) -> Vec<Violation> {
    let place = |module: &str| order.iter().position(|declared| *declared == module);
    let mut violations = Vec::new();
    for (path, text) in files {
        let module = path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(own) = place(module) else {
            violations.push((path.clone(), "is not declared".to_owned()));
            continue;
        };
        // `mod.rs` is its folder.
        let depth = path.trim_end_matches("/mod.rs").split('/').count();
        let above = climbed(text, depth).into_iter().filter(|other| place(other).is_some_and(|other| other != own));
        let against = used(text).into_iter().chain(above).filter(|other| place(other).is_none_or(|other| other > own));
        violations.extend(against.map(|other| (path.clone(), other)));
    }
    violations
}

/// Every file below `src` but the root of the crate and the command, which is a crate of its own.
fn files(folder: &Path, files: &mut Vec<(String, String)>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if name != "cli" {
                self::files(&path, files);
            }
        } else if name != "lib.rs" {
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn a_module_uses_only_what_is_declared_before_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let mut all = Vec::new();
    files(&source, &mut all);
    assert!(all.len() > 80, "{} files", all.len());
    let found = violations(&order(&lib), &all);
    let told: Vec<String> = found.iter().map(|(file, module)| format!("src/{file} uses {module}")).collect();
    assert!(told.is_empty(), "against the order of src/lib.rs:\n{}", told.join("\n"));
}

#[test]
fn a_planted_violation_is_found() {
    let order = order("//! Words.\n\npub mod low;\npub mod middle;\n#[cfg(target_os = \"wasi\")]\nmod high;\n");
    assert_eq!(order, ["low", "middle", "high"]);
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    for (planted, expected) in [
        (file("low.rs", "use crate::middle::Thing;"), "middle"),
        (file("middle/part.rs", "use crate::{low::{A, B}, high::C};"), "high"),
        (file("low/mod.rs", "fn f() -> crate::high::Thing {}"), "high"),
        (file("low.rs", "use crate::{\n    low::A,\n    middle::B,\n};"), "middle"),
        (file("low.rs", "use crate::absent;"), "absent"),
        (file("low/part.rs", "use super::super::middle::Thing;"), "middle"),
        (file("low/mod.rs", "use super::high;"), "high"),
        (file("lost.rs", ""), "is not declared"),
    ] {
        let path = planted.0.clone();
        assert_eq!(violations(&order, &[planted]), [(path, expected.to_owned())]);
    }
    let sound = [
        file("high/deep/mod.rs", "use crate::{low, middle::{self, high::Inner}};\nuse super::{low, other};"),
        file("low.rs", "use crate::low::other;"),
    ];
    assert_eq!(violations(&order, &sound), []);
}
