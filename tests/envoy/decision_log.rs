//! Decisions in Envoy's log: a line for each, throttled, and without secrets.

use std::{collections::BTreeSet, io};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::Message,
    keys,
    patience::patiently,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::Trial;
use serde_json::{Value, json};

/// `printf %s alice | sha256sum | head -c 16`
const ALICE: &str = "sha256:2bd806c97f0e00af";

/// A substring of a token with this length identifies the token.
const RUN: usize = 12;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("decision log: a reason is one line at info, and what passes one at debug", tell),
        Trial::test("decision log: the lines of a reason are throttled, and the rest is counted", ration),
        Trial::test("decision log: no token, payload, signature or key gets into the log", keep_secrets),
    ]
}

fn tell() -> Result<(), libtest_mimic::Failed> {
    let lab = Lab::open(json!({}));
    let now = crate::now();
    let expired = Recipe { claims: claims(json!({"exp": now - 3600, "jti": "t\"1"})), ..Recipe::default() };
    lab.ask("/charge?access_token=not", &[("x-other", "1")])?;
    lab.ask("/charge?a=b", &[("authorization", &format!("Bearer {}", expired.sign(now)))])?;
    let line = lab.line(": denied: reason=token_expired");
    let exp = now - 3600;
    let told = format!(
        "provider=idp token=claimed iss=https://idp.example.com sub={ALICE} kid=p256 alg=ES256 aud=api://payments exp={exp} \
         expired_for=36"
    );
    assert!(line.contains(&told), "{line}");
    assert!(line.ends_with(r#"s jti="t\"1" method=GET host=test path=/charge"#), "{line}");
    assert!(line.contains("][info]["), "{line}");
    let line = lab.line(": denied: reason=token_malformed");
    assert!(line.ends_with("reason=token_malformed token=claimed method=GET host=test path=/charge"), "{line}");

    let good = format!("Bearer {}", Recipe::default().sign(now));
    lab.ask("/admin", &[("authorization", &good)])?;
    let line = lab.line(": denied: reason=policy_not_allowed");
    assert!(line.contains("provider=idp token=proven iss=https://idp.example.com"), "{line}");
    lab.ask("/charge", &[("authorization", &good)])?;
    assert!(!lab.envoy.log().contains(": allowed: "), "{}", lab.envoy.log());
    lab.envoy.log_everything();
    let line = patiently(|| {
        lab.ask("/charge", &[("authorization", &good)]).ok()?;
        lab.lines(": allowed: ").pop()
    });
    let line = line.ok_or("what passes is told at debug")?;
    assert!(line.contains(": allowed: provider=idp rule=ns[]-policy[charge]-rule[0] token=proven iss="), "{line}");
    assert!(line.contains("][debug]["), "{line}");
    Ok(())
}

fn ration() -> Result<(), libtest_mimic::Failed> {
    let lab = Lab::open(json!({"logSubjects": "plain"}));
    for _ in 0..25 {
        lab.ask("/charge?access_token=a", &[])?;
    }
    lab.ask("/charge?access_token=a.b.c", &[])?;
    assert_eq!(lab.lines(": denied: reason=token_malformed token").len(), 10);
    assert_eq!(lab.lines(": denied: reason=header_encoding token").len(), 1, "{}", lab.envoy.log());
    // No further request arrives: the filter's tick writes the line.
    let counted = patiently(|| lab.lines(": denied: reason=token_malformed more=").pop());
    assert!(counted.ok_or("it is never counted")?.ends_with("more=15 within=10s"));
    // At debug no line is suppressed.
    lab.envoy.log_everything();
    for _ in 0..25 {
        lab.ask("/charge?access_token=", &[])?;
    }
    assert_eq!(lab.lines(": denied: reason=token_malformed token").len(), 35);
    Ok(())
}

fn keep_secrets() -> Result<(), libtest_mimic::Failed> {
    let lab = Lab::open(json!({}));
    lab.envoy.log_everything();
    let now = crate::now();
    let secret = |name: &str, value: &str| {
        let mut claims = claims(json!({"groups": ["a-group-of-no-concern"]}));
        claims.insert(name.into(), value.into());
        claims
    };
    let recipes = [
        Recipe::default(),
        Recipe { claims: secret("email", "alice@example.com"), ..Recipe::default() },
        Recipe { signature: Some("flip".into()), ..Recipe::default() },
        Recipe { signature: Some("empty".into()), ..Recipe::default() },
        Recipe { signature: Some("=?".into()), ..Recipe::default() },
        Recipe { key: Some("p256b".into()), ..Recipe::default() },
        Recipe { claims: claims(json!({"exp": now - 3600})), ..Recipe::default() },
        Recipe { claims: claims(json!({"iss": "https://stranger.example.com"})), ..Recipe::default() },
        Recipe { claims: claims(json!({"aud": {"a": "long-enough-to-be-a-run"}})), ..Recipe::default() },
        Recipe { raw_payload: Some("{\"sub\": \"alice\", \"sub\": \"alice\"}".into()), ..Recipe::default() },
        Recipe { raw_header: Some("{\"alg\": \"ES256\"".into()), ..Recipe::default() },
        Recipe { compact: Some("{header}.{payload}".into()), ..Recipe::default() },
        Recipe { compact: Some("{payload}.{header}.{signature}".into()), ..Recipe::default() },
        Recipe { compact: Some("{header}.{payload}.{signature}.{payload}.{signature}".into()), ..Recipe::default() },
        Recipe { compact: Some("{header}.{payload}.{signature}=".into()), ..Recipe::default() },
    ];
    let mut asked = 0;
    for token in recipes.map(|recipe| recipe.sign(now)) {
        let cookie = format!("session={token}; other=1");
        let places = [
            ("/charge".to_owned(), vec![("authorization", format!("Bearer {token}"))]),
            ("/admin".to_owned(), vec![("authorization", format!("bearer {token}"))]),
            (format!("/charge?a=1&access_token={token}#{token}"), vec![]),
            ("/charge".to_owned(), vec![("cookie", cookie)]),
            (format!("/charge?access_token={token}"), vec![("authorization", format!("Bearer {token}"))]),
        ];
        for (path, headers) in places {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            lab.ask(&path, &headers)?;
            asked += 1;
        }
        let runs: BTreeSet<&[u8]> = token.as_bytes().windows(RUN).collect();
        for line in lab.lines("") {
            let run = line.as_bytes().windows(RUN).find(|run| runs.contains(run));
            assert!(run.is_none(), "{:?} of a token is in the log: {line}", run.map(String::from_utf8_lossy));
        }
    }
    // Every request went through the filter, and every line is in the log.
    assert!(lab.lines(": denied: reason=").len() > asked / 2, "{}", lab.envoy.log());
    for word in ["alice", "a-group-of-no-concern", "long-enough-to-be-a-run"] {
        assert!(lab.lines(word).is_empty(), "{:?}", lab.lines(word));
    }
    assert!(!lab.lines(ALICE).is_empty());
    let jwks = keys::jwks("@p256 @hmac");
    let jwks: Value = serde_json::from_str(&jwks)?;
    let members = jwks["keys"].as_array().into_iter().flatten().flat_map(|key| ["x", "y", "k"].map(|name| &key[name]));
    for member in members.filter_map(Value::as_str) {
        assert!(!lab.envoy.log().contains(member), "a key is in the log");
    }
    Ok(())
}

fn claims(claims: Value) -> serde_json::Map<String, Value> {
    claims.as_object().cloned().unwrap_or_default()
}

/// One gate, its upstream, and its log.
struct Lab {
    envoy: Envoy,
    _upstream: Upstream,
}

impl Lab {
    fn open(more: Value) -> Self {
        let mut configuration = json!({
            "jwtRules": [{
                "name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256 @hmac"),
                "algorithms": ["ES256", "HS256"], "fromParams": ["access_token"], "fromCookies": ["session"],
                "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}],
            }],
            "authorizationPolicies": [{"name": "charge", "rules": [{"to": [{"operation": {"paths": ["/charge"]}}]}]}],
        });
        configuration.as_object_mut().unwrap().extend(claims(more));
        let upstream = Upstream::start();
        let gate = Listener::gated("gate", &configuration.to_string());
        Self { envoy: Envoy::start(&Bootstrap::to(upstream.port()).listener(gate).json()), _upstream: upstream }
    }

    fn ask(&self, path: &str, headers: &[(&str, &str)]) -> io::Result<u16> {
        let message = headers.iter().fold(Message::get(path), |message, (name, value)| message.header(name, value));
        Ok(message.send(self.envoy.port("gate"))?.status)
    }

    /// The filter's own lines with this in them.
    fn lines(&self, part: &str) -> Vec<String> {
        let log = self.envoy.log();
        log.lines().filter(|line| line.contains("wasm log") && line.contains(part)).map(str::to_owned).collect()
    }

    fn line(&self, part: &str) -> String {
        patiently(|| self.lines(part).pop()).unwrap_or_else(|| panic!("no `{part}` in\n{}", self.envoy.log()))
    }
}
