//! Configurations and the exact messages about them: `tests/config/<name>.yaml` or `.json` and `<name>.problems`, which
//! holds what `claimgate check` prints. An empty `.problems` means no message.
#![cfg(test)]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use claimgate::config::{Config, Problems};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config");
/// What only the command reads: configurations inside of those of Istio and Envoy.
const DEPLOYED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check");

/// Every configuration of a folder, sorted by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().unwrap() != "problems").collect();
    files.sort();
    files
}

/// What the proxy gets: JSON unchanged, YAML converted to JSON.
fn configuration(path: &Path) -> Vec<u8> {
    let text = fs::read(path).unwrap();
    if path.extension().unwrap() == "json" {
        return text;
    }
    serde_norway::from_slice::<Value>(&text).unwrap().to_string().into_bytes()
}

fn printed(problems: &Problems) -> String {
    let mut text = problems.iter().fold(String::new(), |mut text, problem| {
        writeln!(text, "{}{problem}", if problem.is_warning() { "warning: " } else { "" }).unwrap();
        if let Some(help) = problem.helping() {
            writeln!(text, "  help: {help}").unwrap();
        }
        text
    });
    if problems.left_out() > 0 {
        writeln!(text, "and {} more", problems.left_out()).unwrap();
    }
    text
}

fn expected(path: &Path) -> String {
    fs::read_to_string(path.with_extension("problems")).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_problem_is_said_in_these_words() {
    let mut differences = String::new();
    for path in files(FOLDER) {
        let (is_good, problems) = match Config::parse(&configuration(&path)) {
            Ok((_, warnings)) => (true, warnings),
            Err(problems) => (false, problems),
        };
        let (found, expected) = (printed(&problems), expected(&path));
        if found != expected {
            writeln!(differences, "== {}\n-- expected\n{expected}-- found\n{found}", path.display()).unwrap();
        }
        assert_eq!(is_good, !problems.has_errors(), "{}", path.display());
    }
    assert!(differences.is_empty(), "{differences}");
}

/// Exit status, standard output and standard error of a command on a file of a folder.
fn run(command: &str, folder: &str, file: &Path) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_claimgate"))
        .current_dir(folder)
        .arg(command)
        .arg(file.file_name().unwrap())
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), stdout, stderr)
}

fn assert_checked(folder: &str, path: &Path) {
    let (status, _, stderr) = run("check", folder, path);
    let expected = expected(path);
    assert_eq!(stderr, expected, "{}", path.display());
    let is_good = expected.lines().all(|line| line.starts_with("warning: ") || line.starts_with("  help: "));
    assert_eq!(status, if is_good { 0 } else { 3 }, "{}", path.display());
}

#[test]
fn the_command_says_what_the_proxy_says() {
    for path in files(FOLDER) {
        // The command also reads YAML, so it does not treat text that is not an object as JSON.
        if path.extension().unwrap() == "json" && !fs::read(&path).unwrap().starts_with(b"{") {
            continue;
        }
        assert_checked(FOLDER, &path);
    }
}

/// What is no YAML has its place told, and not what stands there: it may be a secret.
#[test]
fn the_command_does_not_repeat_what_it_cannot_read() {
    for text in ["*hunter2", "!hunter2 x", "!!int hunter2", "'hunter2", "{hunter2: [}", "{[hunter2]: x}", "[hunter2"] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("unreadable.yaml");
        fs::write(&file, format!("debug: {text}")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_claimgate")).arg("check").arg(&file).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("it is neither JSON nor YAML: ") && !said.contains("hunter2"), "{text}: {said}");
        assert_eq!(output.status.code(), Some(3), "{text}");
    }
}

#[test]
fn the_command_finds_every_configuration() {
    for path in files(DEPLOYED) {
        assert_checked(DEPLOYED, &path);
    }
}

#[test]
fn the_command_tells_configurations_apart_only_if_there_are_several() {
    let checked = |file: &str| {
        let (status, stdout, _) = run("check", DEPLOYED, Path::new(file));
        (status, stdout)
    };
    assert_eq!(checked("envoy.json"), (0, "envoy.json: good, with 1 rule(s)\n".to_owned()));
    assert_eq!(
        checked("istio_several.yaml"),
        (3, "istio_several.yaml: edge/claimgate: good, with 1 rule(s)\n".to_owned())
    );
}

#[test]
fn an_explanation_needs_one_configuration() {
    assert_eq!(
        run("explain", DEPLOYED, Path::new("documents.yaml")),
        (
            1,
            String::new(),
            "documents.yaml: it has 2 configurations: `document 1`, `document 3`\n  \
             help: put the one to explain into a file of its own\n"
                .to_owned()
        )
    );
}

#[test]
fn nothing_is_beside_nothing() {
    for entry in fs::read_dir(FOLDER).unwrap().chain(fs::read_dir(DEPLOYED).unwrap()) {
        let path = entry.unwrap().path();
        let has_partner = ["yaml", "json"].iter().any(|extension| path.with_extension(extension).exists());
        assert!(has_partner, "{} says what is wrong with no configuration", path.display());
    }
}
