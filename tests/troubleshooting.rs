//! The output in `docs/troubleshooting.md` is real: here for the commands without a proxy, in `tests/envoy` for all.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "these tests have a clock")]

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use claimgate_testing::{
    console::{Shell, is_like},
    keys, trouble,
};

#[test]
fn the_document_has_the_output_of_the_command() {
    let claimgate = Path::new(env!("CARGO_BIN_EXE_claimgate")).parent().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut count = 0;
    let mut complaints = Vec::new();
    for (number, session) in trouble::sessions().iter().enumerate() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("trouble-{number}"));
        fs::create_dir_all(&folder).unwrap();
        let situation = trouble::situation(&session.heading);
        fs::write(folder.join("keys.json"), keys::jwks(situation.keys)).unwrap();
        let variables = vec![("TOKEN", situation.token.sign(now))];
        let shell = Shell { folder: &folder, claimgate, prelude: String::new(), variables };
        for step in session.steps.iter().filter(|step| !step.needs_proxy()) {
            count += 1;
            complaints.extend(step.complaint(&shell.run(step)));
        }
    }
    assert!(complaints.is_empty(), "docs/troubleshooting.md:\n{}", complaints.join("\n"));
    assert!(count >= 9 && trouble::sessions().len() == 9, "{count} commands");
}

/// The comparison ignores the time, and nothing else.
#[test]
fn a_line_that_drifts_is_noticed() {
    let line = "denied: reason=token_expired exp=1767222000 expired_for=3600s method=GET";
    assert!(is_like(line, line));
    assert!(is_like(line, "denied: reason=token_expired exp=1893456000 expired_for=3605s method=GET"));
    for other in [
        "denied: reason=token_expired exp=1767222000 expired_for=3600s method=GET path=/",
        "denied: reason=token_expired exp=1767222000 expired_for=3600s",
        "denied: reason=token_expired exp=1767222000 expired_for=3600 method=GET",
        "denied: reason=token_expired exp=1767222000 expired_for=36000s method=GET",
        "denied: reason=token_expired exp=soon expired_for=3600s method=GET",
        "denied: reason=token_expired expires_in=3600s exp=1767222000 method=GET",
        "allowed: reason=token_expired exp=1767222000 expired_for=3600s method=GET",
    ] {
        assert!(!is_like(line, other), "{other}");
    }
    assert!(is_like("the next try is in 741 ms", "the next try is in 52 ms"));
    assert!(!is_like("2 keys", "3 keys"));
    assert!(!is_like("content-length: 12", "content-length: 13"));
    assert!(!is_like("wasmcustom.claimgate.keys.source=idp: 1", "wasmcustom.claimgate.keys.source=idp: 0"));
}
