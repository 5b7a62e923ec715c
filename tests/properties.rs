//! Properties that hold for every input.
#![cfg(test)]

use claimgate::{
    claims::path::ClaimPath,
    config::Config,
    denial::Denial,
    encoding::base64url,
    gate::{Gate, Step},
    jose::{UntrustedToken, algorithm::Algorithm, json},
    location::{Location, removal},
    matching::{
        path::{self, PathPattern},
        pattern::Pattern,
    },
    outbound::wait_queue::StreamId,
    reason::Reason,
    reply::{
        Errors, Reply, Style,
        cors::{Cors, OriginPattern},
    },
    request::{HeaderEdit, HeaderName, Request},
    time::UnixTime,
};
use claimgate_testing::{
    case::Peer,
    core::{NOW, perform},
    keys,
    outcome::Arrival,
    token::Recipe,
};
use proptest::prelude::*;

fn gate(jwks: &str, algorithms: &[&str]) -> Gate {
    let rule =
        serde_json::json!({"issuer": "https://idp.example.com", "jwks": keys::jwks(jwks), "algorithms": algorithms});
    let config = serde_json::json!({"jwtRules": [rule]});
    Gate::new(Config::parse(config.to_string().as_bytes()).unwrap().0)
}

fn bearer(token: &[u8]) -> Request {
    let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    Request::new(vec![
        header(":method", b"GET"),
        header(":path", b"/"),
        header(":authority", b"api.example.com"),
        header("authorization", &[b"Bearer ", token].concat()),
    ])
}

fn passes(gate: &mut Gate, token: &[u8]) -> bool {
    matches!(gate.admit(StreamId(0), &bearer(token), &Peer::default(), UnixTime::from_secs(NOW)).step, Step::Forward(_))
}

fn recipe(key: &str, alg: &str) -> Recipe {
    Recipe { key: Some(key.into()), alg: Some(alg.into()), ..Recipe::default() }
}

/// Every bit of a token counts, whether the valid token is in the cache or not.
fn no_flip_passes(key: &str, alg: &str, bits: impl Iterator<Item = usize>) {
    let token = recipe(key, alg).sign(NOW).into_bytes();
    let (mut fresh, mut knowing) = (gate(&format!("@{key}"), &[alg]), gate(&format!("@{key}"), &[alg]));
    assert!(passes(&mut knowing, &token), "{alg}");
    for bit in bits.filter(|bit| bit / 8 < token.len()) {
        let mut flipped = token.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!passes(&mut fresh, &flipped), "{alg}: bit {bit}");
        assert!(!passes(&mut knowing, &flipped), "{alg}: bit {bit}, known");
    }
}

#[test]
fn no_flipped_bit_passes() {
    no_flip_passes("hmac", "HS256", 0..8 * 1024);
    no_flip_passes("ed25519", "EdDSA", 0..8 * 1024);
    no_flip_passes("p256", "ES256", 0..8 * 1024);
    no_flip_passes("rsa", "RS256", 0..8 * 1024);
    no_flip_passes("rsa", "PS256", (0..8 * 1024).step_by(3));
    no_flip_passes("p384", "ES384", (0..8 * 1024).step_by(7));
    no_flip_passes("p521", "ES512", (0..8 * 1024).step_by(7));
}

/// Names of tokens in these tests, and similar names.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("access_token".to_owned()),
        Just("access%5Ftoken".to_owned()),
        Just("session".to_owned()),
        "[a-z%0-9+_.-]{1,12}",
        Just("xaccess_token".to_owned()),
        Just("access_tokenx".to_owned()),
        Just("Session".to_owned()),
    ]
}

fn pair() -> impl Strategy<Value = String> {
    prop_oneof![(name(), "[!\"$%'-:<-~]{0,20}").prop_map(|(name, value)| format!("{name}={value}")), name()]
}

fn is_token(pair: &str, names: &[&str]) -> bool {
    names.contains(&pair.split('=').next().unwrap())
}

fn arrive(request: Vec<(String, Vec<u8>)>, locations: &[&Location]) -> Arrival {
    let edits = removal(locations, &Request::new(request.clone()));
    perform(request, &edits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics_a_parser(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,60}") {
        let _ = UntrustedToken::parse(&bytes);
        let _ = UntrustedToken::parse(text.as_bytes());
        let _ = json::object(&bytes);
        let _ = Config::parse(&bytes);
        let _ = Config::parse(text.as_bytes());
        let _ = ClaimPath::parse(&text);
        let _ = Pattern::parse(&text);
        let _ = PathPattern::parse(&text).map(|pattern| path::readings(&bytes).iter().any(|reading| pattern.matches(reading)));
        let mut gate = gate("@ed25519", &["EdDSA"]);
        prop_assert!(!passes(&mut gate, &bytes));
        let _ = gate.admit(StreamId(0), &Request::new(vec![(":path".into(), bytes.clone()), ("cookie".into(), bytes)]), &Peer::default(), UnixTime::from_secs(NOW));
    }

    /// A header contains no line break, and the quotes of a challenge are balanced.
    #[test]
    fn nothing_breaks_out_of_a_reply(value in prop::collection::vec(any::<u8>(), 0..40), scope in "[ -~é]{0,6}", place in 0..6_usize) {
        let name = [":authority", ":path", ":scheme", "origin", "accept", "x-envoy-original-path"][place];
        let request = Request::new(vec![(name.into(), value)]);
        for (reason, style) in [(Reason::PolicyNotAllowed, Style::Rfc6750), (Reason::TokenExpired, Style::Istio)] {
            let denial = Denial { scopes: vec![scope.clone()], ..Denial::of(reason) };
            let cors = Cors { allow_origins: vec![OriginPattern::Any], allow_credentials: true, expose_headers: vec![] };
            let reply = Reply::denial(&denial, &[], &Errors { style, cors: Some(cors), ..Errors::default() }, &request);
            for (_, value) in &reply.headers {
                prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{value:?}");
            }
            let challenge = reply.headers.iter().find(|(name, _)| *name == "www-authenticate").map(|(_, value)| value).unwrap();
            let outside: String = challenge.split('"').step_by(2).collect();
            let known = ["Bearer realm=, error=, error_description=, scope=", "Bearer realm=, error=, error_description=", "Bearer realm=, error="];
            prop_assert!(!challenge.contains('\\') && known.contains(&outside.as_str()), "{challenge}");
        }
    }

    /// Three strict segments around arbitrary JSON-like texts, so that parsing gets deep.
    #[test]
    fn no_token_shaped_input_panics(header in r#"\{("(alg|kid|typ|crit)":("EdDSA"|"none"|1|null|\[\])(,)?){0,4}\}"#,
                                    payload in r#"\{("(iss|sub|exp|aud)":("https://idp.example.com"|-1|1e400|\[1\])(,)?){0,4}\}"#,
                                    signature in prop::collection::vec(any::<u8>(), 0..80)) {
        let token = [header.as_bytes(), payload.as_bytes(), &signature].map(base64url::encode).join(".");
        let _ = UntrustedToken::parse(token.as_bytes());
        let passed = passes(&mut gate("@ed25519", &["EdDSA"]), token.as_bytes());
        prop_assert!(!passed);
    }

    /// Each value has one text: decoding and encoding gives the same text.
    #[test]
    fn decoding_then_encoding_is_identity(text in "[A-Za-z0-9_=+/-]{0,24}", bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Some(decoded) = base64url::decode(&text) {
            prop_assert_eq!(base64url::encode(decoded), text);
        }
        prop_assert_eq!(base64url::decode(base64url::encode(&bytes)), Some(bytes));
    }

    /// Strict JSON, printed and read again, gives the same value.
    #[test]
    fn reading_printed_json_is_identity(text in r#"\{"a":(1|-2\.5|"x\\n"|null|\[true,\{"b":\{\}\}\]),"é":18446744073709551615\}"#) {
        let read = json::object(text.as_bytes()).unwrap();
        let printed = serde_json::Value::Object(read.clone()).to_string();
        prop_assert_eq!(json::object(printed.as_bytes()).unwrap(), read);
    }

    #[test]
    fn query_surgery_touches_only_the_token(pairs in prop::collection::vec(pair(), 0..6), fragment in "(#[a-z]{0,4})?") {
        let target = format!("/a/b%20c;d{}{fragment}", if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) });
        let location = Location::Query { name: "access_token".into() };
        let arrival = arrive(vec![(":path".into(), target.clone().into_bytes())], &[&location]);
        let names = ["access_token", "access%5Ftoken"];
        let kept: Vec<&str> = pairs.iter().map(String::as_str).filter(|pair| !is_token(pair, &names)).collect();
        let expected = match kept.len() {
            _ if kept.len() == pairs.len() => target,
            0 => format!("/a/b%20c;d{fragment}"),
            _ => format!("/a/b%20c;d?{}{fragment}", kept.join("&")),
        };
        prop_assert_eq!(&arrival.path, &expected);
        let left = Request::new(arrival.headers);
        prop_assert!(location.tokens(&left).is_empty());
    }

    #[test]
    fn cookie_surgery_touches_only_the_token(cookies in prop::collection::vec(prop::collection::vec(pair(), 1..4), 0..3)) {
        let other = ("x-other".to_owned(), b"session=1".to_vec());
        let mut request = vec![(":path".to_owned(), b"/".to_vec()), other.clone()];
        request.extend(cookies.iter().map(|crumbs| ("cookie".to_owned(), crumbs.join("; ").into_bytes())));
        let location = Location::Cookie { name: "session".into() };
        let arrival = arrive(request, &[&location]);
        let kept: Vec<String> = cookies
            .iter()
            .map(|crumbs| crumbs.iter().filter(|pair| !is_token(pair, &["session"])).map(String::as_str).collect::<Vec<_>>())
            .map(|crumbs| crumbs.join("; ").trim().to_owned())
            .filter(|cookie| !cookie.is_empty())
            .collect();
        let seen: Vec<String> = arrival.headers.iter().filter(|(name, _)| name == "cookie")
            .map(|(_, value)| String::from_utf8(value.clone()).unwrap()).filter(|cookie| !cookie.is_empty()).collect();
        prop_assert_eq!(seen, kept);
        prop_assert!(arrival.headers.contains(&other));
        prop_assert!(location.tokens(&Request::new(arrival.headers)).is_empty());
    }

    /// Only the token's header is removed, whatever else is there.
    #[test]
    fn header_surgery_touches_only_the_token(headers in prop::collection::vec(("[a-z][a-z-]{0,8}", "[ -~]{0,12}"), 0..6)) {
        let mut request: Vec<(String, Vec<u8>)> = vec![(":path".into(), b"/?access_token=1".to_vec())];
        request.extend(headers.into_iter().map(|(name, value)| (name, value.into_bytes())));
        request.push(("x-token".into(), b"Token t".to_vec()));
        let location = Location::Header { name: HeaderName::new("x-token"), prefix: "Token ".into() };
        let edits = removal(&[&location], &Request::new(request.clone()));
        prop_assert_eq!(&edits, &vec![HeaderEdit::Remove("x-token".into())]);
        let expected: Vec<_> = request.iter().filter(|(name, _)| name != "x-token").cloned().collect();
        prop_assert_eq!(perform(request, &edits).headers, expected);
    }

    /// A plain path has one reading, and no reading of a path is ambiguous itself.
    #[test]
    fn eager_readings_are_normal(target in "/([a-c./%;\\\\2fFeE5]{0,12}/){0,4}(\\?.{0,5})?") {
        for reading in path::readings(target.as_bytes()).iter().skip(2) {
            let text = String::from_utf8_lossy(reading.path()).into_owned();
            prop_assert!(text.starts_with('/'));
            let dots = text.split('/').any(|segment| matches!(segment, "." | ".."));
            prop_assert!(!dots && !text.contains("//") && !text.contains(';') && !text.contains('\\'), "{} {}", target, text);
        }
    }
}

#[test]
fn algorithm_names_are_their_own() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
    }
}

fn edit() -> impl Strategy<Value = HeaderEdit> {
    ("[a-c]", "[0-9]", 0..3).prop_map(|(name, value, kind)| match kind {
        0 => HeaderEdit::Remove(name),
        1 => HeaderEdit::Set(name, value.into_bytes()),
        _ => HeaderEdit::Add(name, value.into_bytes()),
    })
}

proptest! {
    /// What policies see is what the proxy makes of the request.
    #[test]
    fn an_outgoing_request_is_what_the_edits_make_of_it(
        headers in prop::collection::vec(("[a-c]", "[0-9]"), 0..6),
        edits in prop::collection::vec(edit(), 0..6),
    ) {
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_bytes()));
        let headers: Vec<_> = headers.chain([(":path".to_owned(), b"/".to_vec())]).collect();
        let request = Request::new(headers.clone());
        let expected = perform(headers, &edits).headers;
        let outgoing = request.with(&edits);
        for name in ["a", "b", "c"] {
            let values = expected.iter().filter(|(present, _)| present == name).map(|(_, value)| value.as_slice());
            prop_assert!(outgoing.values(name).eq(values), "{name}: {:?}", outgoing.values(name).collect::<Vec<_>>());
        }
        let (mut found, mut names) = (outgoing.names().collect::<Vec<_>>(), vec![]);
        names.extend(expected.iter().map(|(name, _)| name.as_str()));
        found.sort_unstable();
        names.sort_unstable();
        prop_assert_eq!(found, names);
    }
}
