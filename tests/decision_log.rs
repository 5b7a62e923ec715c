//! The log line of a decision, word for word.
#![cfg(test)]

use claimgate::{
    config::Config,
    gate::{Decision, Gate, Step},
    outbound::wait_queue::StreamId,
    request::{HeaderEdit, Request},
    time::UnixTime,
};
use claimgate_testing::{
    case::Peer,
    core::NOW,
    keys,
    token::{Recipe, hex},
};
use serde_json::{Value, json};

/// A REQUIRED rule, an OPTIONAL rule, and a policy for everything except `/closed`.
fn gate(more: Value) -> Gate {
    let mut config = json!({
        "jwtRules": [
            {"name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256"), "audiences": ["a", "api://payments"]},
            {"issuer": "https://other.example.com", "jwks": keys::jwks("@p256"), "presence": "REQUIRED", "match": [{"paths": ["/other"]}]},
        ],
        "authorizationPolicies": [
            {"name": "all", "namespace": "pay", "rules": [{"name": "open", "to": [{"operation": {"notPaths": ["/closed"]}}]}]},
            {"name": "never", "action": "DENY", "rules": [{"to": [{"operation": {"methods": ["DELETE"]}}]}]},
        ],
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Gate::new(Config::parse(config.to_string().as_bytes()).unwrap().0)
}

fn request(method: &str, path: &[u8], token: Option<&str>) -> Request {
    let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let mut headers =
        vec![header(":method", method.as_bytes()), header(":path", path), header(":authority", b"api.example.com")];
    headers.extend(token.map(|token| header("authorization", format!("Bearer {token}").as_bytes())));
    Request::new(headers)
}

fn told(gate: &mut Gate, request: &Request) -> String {
    let now = UnixTime::from_secs(NOW);
    let Decision { record, .. } = gate.admit(StreamId(0), request, &Peer::default(), now);
    gate.line(&record, request, now).pairs()
}

fn token(claims: Value) -> String {
    Recipe { claims: claims.as_object().unwrap().clone(), ..Recipe::default() }.sign(NOW)
}

const ALICE: &str = "iss=https://idp.example.com sub=sha256:2bd806c97f0e00af kid=p256 alg=ES256";

#[test]
fn who_passes_is_told_with_what_let_them() {
    let mut gate = gate(json!({}));
    let line = format!(
        "provider=idp rule=ns[pay]-policy[all]-rule[open] token=proven {ALICE} aud=api://payments exp={} expires_in=300s \
         jti=7 method=GET host=api.example.com path=/charge",
        NOW + 300
    );
    // The second time the token is in the cache.
    for _ in 0..2 {
        assert_eq!(told(&mut gate, &request("GET", b"/charge?a=b", Some(&token(json!({"jti": "7"}))))), line);
    }
    assert_eq!(
        told(&mut gate, &request("GET", b"/", None)),
        "rule=ns[pay]-policy[all]-rule[open] token=none method=GET host=api.example.com path=/"
    );
}

#[test]
fn a_refused_token_only_claims() {
    let mut gate = gate(json!({}));
    let expired = token(json!({"exp": NOW - 61, "aud": ["a", "b c"]}));
    assert_eq!(
        told(&mut gate, &request("GET", b"/", Some(&expired))),
        format!(
            "reason=token_expired provider=idp token=claimed {ALICE} aud=\"a,b c\" exp={} expired_for=61s method=GET \
             host=api.example.com path=/",
            NOW - 61
        )
    );
    let strange = token(json!({"iss": "https://idp.example.com/", "sub": 7, "exp": "soon"}));
    assert_eq!(
        told(&mut gate, &request("GET", b"/", Some(&strange))),
        "reason=issuer_unknown token=claimed iss=https://idp.example.com/ kid=p256 alg=ES256 aud=api://payments method=GET \
         host=api.example.com path=/"
    );
    let unknown = Recipe { key: Some("rsa".into()), ..Recipe::default() }.sign(NOW);
    let line = told(&mut gate, &request("GET", b"/", Some(&unknown)));
    assert!(line.starts_with("reason=key_unknown provider=idp token=claimed "), "{line}");
    assert!(line.contains(" kid=rsa alg=RS256 "), "{line}");
}

#[test]
fn a_malformed_token_is_told_as_far_as_it_can_be_read() {
    let mut gate = gate(json!({"maxTokenBytes": 512}));
    let rest = "method=GET host=api.example.com path=/";
    let mut line = |token: &str| told(&mut gate, &request("GET", b"/", Some(token)));
    assert_eq!(line("a"), format!("reason=token_malformed token=claimed {rest}"));
    let twice = Recipe { raw_payload: Some(r#"{"sub": "a", "sub": "b"}"#.into()), ..Recipe::default() }.sign(NOW);
    assert_eq!(line(&twice), format!("reason=payload_json token=claimed kid=p256 alg=ES256 {rest}"));
    let large = token(json!({"filler": "x".repeat(512)}));
    assert_eq!(line(&large), format!("reason=token_too_large token=claimed {rest}"));
}

#[test]
fn what_denied_and_what_was_required_is_told() {
    let mut gate = gate(json!({}));
    let good = token(json!({}));
    let starts = |line: String, start: &str| assert!(line.starts_with(start), "{line}");
    starts(
        told(&mut gate, &request("DELETE", b"/", Some(&good))),
        "reason=policy_denied provider=idp rule=ns[]-policy[never]-rule[0] token=proven iss=",
    );
    starts(
        told(&mut gate, &request("GET", b"/closed", Some(&good))),
        "reason=policy_not_allowed provider=idp token=proven iss=",
    );
    starts(
        told(&mut gate, &request("GET", b"/other", None)),
        "reason=token_missing provider=https://other.example.com token=none method=GET",
    );
    starts(
        told(&mut gate, &request("GET", b"/other", Some(&good))),
        "reason=token_missing provider=https://other.example.com token=proven iss=https://idp.example.com",
    );
}

#[test]
fn subjects_are_told_as_configured() {
    let good = request("GET", b"/", Some(&token(json!({"sub": "a \"b\"\n"}))));
    assert!(told(&mut gate(json!({"logSubjects": "plain"})), &good).contains(r#" sub="a \"b\"\u{a}" kid="#));
    assert!(told(&mut gate(json!({"logSubjects": "hash"})), &good).contains(" sub=sha256:"));
    assert!(!told(&mut gate(json!({"logSubjects": "none"})), &good).contains("sub="));
}

#[test]
fn nothing_a_client_sends_breaks_the_line() {
    let mut gate = gate(json!({}));
    let path = [b"/a b\r\ndenied: x=".as_slice(), &hex("ff 1b"), b"?token"].concat();
    let forged = Recipe { header: json!({"kid": "k reason=none\n"}).as_object().unwrap().clone(), ..Recipe::default() };
    let line = told(&mut gate, &request("GET", &path, Some(&forged.sign(NOW))));
    assert!(line.contains(r#" kid="k reason=none\u{a}" alg="#), "{line}");
    assert!(line.ends_with(r#" path="/a b\u{d}\u{a}denied: x=\u{fffd}\u{1b}""#), "{line}");
}

#[test]
fn a_trace_is_for_who_knows_the_secret() {
    let secret = "not to be guessed";
    let mut gate = gate(json!({"debug": {"header": "X-Why", "secret": secret}}));
    let now = UnixTime::from_secs(NOW);
    let mut traced = |path: &[u8], headers: &[(&str, &str)]| {
        let mut all: Vec<_> = request("GET", path, Some(&token(json!({})))).headers().map(owned).collect();
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
        let request = Request::new(all);
        let Decision { record, step } = gate.admit(StreamId(0), &request, &Peer::default(), now);
        if let Step::Forward(_) = step {
            let gone =
                |edit: &HeaderEdit| matches!(edit, HeaderEdit::Remove(name) if name == "x-why" || name == "x_why");
            assert_eq!(record.mutation.edits.iter().filter(|edit| gone(edit)).count(), headers.len());
        }
        gate.trace(&record, &request, &Peer::default(), now)
    };
    let open = "ns[pay]-policy[all]-rule[open]";
    let token =
        format!("provider=idp rule={open} token=proven {ALICE} aud=api://payments exp={} expires_in=300s", NOW + 300);
    let allowed = format!("allowed: {token}; DENY ns[]-policy[never]-rule[0] lacks to; ALLOW {open} matches");
    assert_eq!(traced(b"/", &[("x-why", secret)]), Some(allowed));
    let denied = traced(b"/closed", &[("x-why", secret)]).unwrap();
    assert!(denied.starts_with("denied: reason=policy_not_allowed provider=idp token=proven iss="), "{denied}");
    assert!(denied.ends_with(&format!("; ALLOW {open} lacks to")), "{denied}");
    for headers in [[].as_slice(), &[("x-why", "")], &[("x-why", "not to be guesses")], &[("x_why", secret)]] {
        assert_eq!(traced(b"/", headers), None, "{headers:?}");
    }
}

#[test]
fn nobody_is_shown_the_secret() {
    let config = |secret: Value| {
        let config = json!({
            "jwtRules": [{"issuer": "a", "jwks": keys::jwks("@p256")}], "debug": {"secret": secret},
        });
        format!("{:?}", Config::parse(config.to_string().as_bytes()))
    };
    let good = config("1234567890123456".into());
    assert!(good.contains("Secret(…)") && !good.contains("1234567890123456"), "{good}");
    for bad in [json!(1234567), json!(["1234567"]), json!("1234567")] {
        assert!(!config(bad.clone()).contains("1234567"), "{bad}");
    }
}

fn owned((name, value): (&str, &[u8])) -> (String, Vec<u8>) {
    (name.to_owned(), value.to_vec())
}
