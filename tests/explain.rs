//! `claimgate explain`: the decision, its exit status and what each rule lacks.
#![cfg(test)]

use std::{fs, process::Command, sync::LazyLock};

use claimgate_testing::{keys, token::Recipe};
use serde_json::json;

/// Written once, because the tests run in parallel.
static FILE: LazyLock<&str> = LazyLock::new(|| {
    let policies = json!([{"name": "admin", "namespace": "pay", "rules": [{
        "from": [{"source": {"requestPrincipals": ["*"]}}],
        "to": [{"operation": {"paths": ["/charge"], "methods": ["POST"]}}],
        "when": [{"key": "request.auth.claims[groups]", "values": ["admins"]}],
    }]}]);
    let header = |header: &str, claim: &str| json!({"header": header, "claim": claim});
    let rule = json!({
        "name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"),
        "outputClaimToHeaders": [
            header("x-user", "sub"), header("x-plan", "[plan][name]"), header("x-groups", "groups"),
        ],
    });
    let other = json!({
        "name": "other", "issuer": "https://other.example.com", "jwks": keys::jwks("@p256"),
        "outputPayloadToHeader": "x-other", "outputClaimToHeaders": [header("x-user", "sub")],
    });
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/explain.json");
    fs::write(file, json!({"jwtRules": [rule, other], "authorizationPolicies": policies}).to_string()).unwrap();
    file
});

fn explain(arguments: &[&str]) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_claimgate")).args(["explain", *FILE]).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

const TOKEN: &str = "token=proven iss=https://idp.example.com sub=sha256:2bd806c97f0e00af kid=p256 alg=ES256 \
                     aud=api://payments exp=4102444800";
const REQUEST: &str = "method=POST host=localhost path=/charge";

/// The log line without the values that depend on the time.
fn settled(said: &str) -> String {
    let (before, after) = said.split_once(" expires_in=").unwrap();
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('s').unwrap())
}

fn bearer(claims: serde_json::Value) -> String {
    let now = json!({"exp": 4_102_444_800_u64});
    let mut all = now.as_object().unwrap().clone();
    all.extend(claims.as_object().unwrap().clone());
    format!("authorization: Bearer {}", Recipe { claims: all, ..Recipe::default() }.sign(0))
}

#[test]
fn an_anonymous_request_lacks_the_token() {
    let (status, said) = explain(&["-X", "POST", "--path", "/charge"]);
    assert_eq!(status, 2);
    assert_eq!(
        said,
        "401 token_missing: a token is required\n\
         denied: reason=token_missing token=none method=POST host=localhost path=/charge\n\
         ALLOW ns[pay]-policy[admin]-rule[0] lacks from, when[0] request.auth.claims[groups]\n"
    );
}

#[test]
fn a_token_lacks_the_group() {
    let token = bearer(json!({"groups": ["staff"]}));
    let (status, said) = explain(&["-X", "POST", "--path", "/charge", "-H", &token]);
    assert_eq!(status, 2);
    assert_eq!(
        settled(&said),
        format!(
            "403 policy_not_allowed: no policy allows this request\n\
             denied: reason=policy_not_allowed provider=idp {TOKEN} {REQUEST}\n\
             ALLOW ns[pay]-policy[admin]-rule[0] lacks when[0] request.auth.claims[groups]\n"
        )
    );
}

/// What Envoy reads otherwise, or answers itself, is not explained as if the filter saw it.
#[test]
fn a_path_that_the_filter_never_sees_is_not_explained() {
    for path in ["http://localhost/charge", "/charge#", "charge"] {
        let arguments = ["explain", *FILE, "--path", path];
        let output = Command::new(env!("CARGO_BIN_EXE_claimgate")).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("a path begins with `/` and has no `#`"), "{path}: {said}");
        assert!(!output.status.success() && output.stdout.is_empty(), "{path}");
    }
}

/// Envoy joins several lines of `Authorization`, and a token with something behind it is bad.
#[test]
fn several_authorization_lines_are_one() {
    let token = bearer(json!({}));
    let said = |lines: [&str; 2]| explain(&["--path", "/", "-H", lines[0], "-H", lines[1]]).1;
    assert!(said(["authorization: Basic YTpi", &token]).contains("token=proven"));
    assert!(said([&token, "Authorization: Basic YTpi"]).starts_with("401 signature_encoding"));
}

/// A path that servers read in several ways is shown in the reading that decides.
#[test]
fn the_reading_of_the_path_that_decides_is_told() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/explain-readings.json");
    let policy = |name: &str, action: &str, operation: serde_json::Value| json!({"name": name, "action": action, "rules": [{"to": [{"operation": operation}]}]});
    let policies = [
        policy("admin", "DENY", json!({"paths": ["/admin"]})),
        policy("files", "ALLOW", json!({"paths": ["/files/{*}"]})),
        policy("rest", "ALLOW", json!({"notPaths": ["/files*"]})),
    ];
    fs::write(file, json!({"jwtRules": [], "authorizationPolicies": policies}).to_string()).unwrap();
    for (path, said) in [
        ("/admin", "DENY ns[]-policy[admin]-rule[0] matches\n"),
        ("/%61dmin", "DENY ns[]-policy[admin]-rule[0] matches with the path read as `/admin`\n"),
        ("/x/..;/admin", "DENY ns[]-policy[admin]-rule[0] matches with the path read as `/admin`\n"),
        (
            "/files/a%2Fb",
            "ALLOW ns[]-policy[files]-rule[0] lacks to with the path read as `/files/a/b`\n\
             ALLOW ns[]-policy[rest]-rule[0] lacks to\n",
        ),
        ("//files", "ALLOW ns[]-policy[rest]-rule[0] lacks to with the path read as `/files`\n"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_claimgate")).args(["explain", file, "--path", path]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{path}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(said), "{path}: {text}");
    }
}

/// The command fetches no keys: a file provides the key set.
#[test]
fn fetched_keys_come_from_a_file() {
    let rule = json!({"issuer": "https://idp.example.com", "audiences": ["api://payments"], "presence": "REQUIRED"});
    let configuration = concat!(env!("CARGO_TARGET_TMPDIR"), "/explain-fetched.json");
    let keys = concat!(env!("CARGO_TARGET_TMPDIR"), "/explain-keys.json");
    fs::write(configuration, json!({"jwtRules": [rule]}).to_string()).unwrap();
    let token = bearer(json!({}));
    let explain = |more: &[&str]| {
        let arguments = ["explain", configuration, "-H", &token];
        let output = Command::new(env!("CARGO_BIN_EXE_claimgate")).args(arguments).args(more).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    assert_eq!(
        explain(&[]),
        (1, "the request waits for keys, which this command does not fetch: name a file that has them, `--jwks keys.json`\n".into())
    );
    for (set, status, said) in [
        (keys::jwks("@p256"), 0, "200, the request goes upstream"),
        (keys::jwks("@p384"), 2, "401 key_unknown: "),
        ("[]".to_owned(), 1, "explain-keys.json: it has no list `keys`"),
    ] {
        fs::write(keys, set).unwrap();
        let (code, text) = explain(&["--jwks", keys]);
        assert!(code == status && text.contains(said), "{code}: {text}");
    }
}

#[test]
fn a_token_with_the_group_passes() {
    let token = bearer(json!({"groups": ["admins", "a,b"]}));
    let (status, said) = explain(&["-X", "POST", "--path", "/charge", "-H", &token, "-H", "x-user: root"]);
    assert_eq!(status, 0);
    assert_eq!(
        settled(&said),
        format!(
            "200, the request goes upstream\n  without x-user\n  without authorization\n  x-user: alice\n  \
             no x-plan: the token has no claim [plan][name], or an empty one\n  \
             no x-groups: no header can carry the claim groups in this format\n  \
             no x-other: no token is good for the rule other\n\
             allowed: provider=idp rule=ns[pay]-policy[admin]-rule[0] {TOKEN} {REQUEST}\n\
             ALLOW ns[pay]-policy[admin]-rule[0] matches\n"
        )
    );
}
