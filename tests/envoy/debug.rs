//! The trace of a decision in a response header: only for clients with the secret, and only from claimgate.

use std::{
    io::{BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http::{self, Message},
    keys,
    token::Recipe,
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

const SECRET: &str = "correct horse battery";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("debug: who knows the secret gets the trace, and no upstream sends another", trace),
        Trial::test("debug: no trace comes in the trailers of a response", trailers),
    ]
}

fn trace() -> Result<(), Failed> {
    let upstream = Upstream::start();
    let gate = |name: &str, debug: Value| {
        let configuration = json!({
            "jwtRules": [{"name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256")}],
            "authorizationPolicies": [{"name": "open", "rules": [{"to": [{"operation": {"paths": ["/open"]}}]}]}],
            "debug": debug,
        });
        Listener::gated(name, &configuration.to_string()).followed_by(forger())
    };
    let listeners = [gate("on", json!({"secret": SECRET})), gate("off", json!(null))];
    let envoy = Envoy::start(&listeners.into_iter().fold(Bootstrap::to(upstream.port()), Bootstrap::listener).json());
    envoy.log_everything();
    let now = crate::now();
    let ask = |id: &str, listener: &str, path: &str, said: Option<&str>, token: &str| {
        let message = Message::get(path).header("x-case", id).header("authorization", format!("Bearer {token}"));
        let message = said.into_iter().fold(message, |message, said| message.header("x-claimgate-debug", said));
        let reply = message.send(envoy.port(listener))?;
        let sent_on = upstream.seen(id).and_then(|seen| seen.header("x-claimgate-debug"));
        let twin = reply.header("x_claimgate_debug");
        assert_eq!(twin.is_some(), listener == "off", "{id}: {twin:?}");
        Ok::<_, std::io::Error>((reply.status, reply.header("x-claimgate-debug"), sent_on))
    };
    let good = Recipe::default().sign(now);
    let bad = Recipe { signature: Some("flip".into()), ..Recipe::default() }.sign(now);

    let (status, trace, sent_on) = ask("1", "on", "/open", Some(SECRET), &good)?;
    let trace = trace.ok_or("no trace of what passes")?;
    assert_eq!((status, sent_on), (200, None));
    assert!(trace.starts_with("allowed: provider=idp rule=ns[]-policy[open]-rule[0] token=proven iss="), "{trace}");
    assert!(trace.ends_with("; ALLOW ns[]-policy[open]-rule[0] matches"), "{trace}");

    let (status, trace, _) = ask("2", "on", "/open", Some(SECRET), &bad)?;
    let trace = trace.ok_or("no trace of a reason")?;
    assert_eq!(status, 401);
    assert!(trace.starts_with("denied: reason=signature_invalid provider=idp token=claimed iss="), "{trace}");
    assert!(!trace.contains("alice"), "{trace}");

    // Without the secret there is no trace, whatever the upstream sends, and a wrong secret never reaches the upstream.
    assert_eq!(ask("3", "on", "/open", None, &good)?, (200, None, None));
    assert_eq!(ask("4", "on", "/open", Some("correct horse batters"), &good)?, (200, None, None));
    assert_eq!(ask("5", "on", "/closed", Some("x"), &good)?, (403, None, None));
    // Without `debug` the header is an ordinary header.
    let forged = Some("forged".to_owned());
    assert_eq!(ask("6", "off", "/open", Some(SECRET), &good)?, (200, forged, Some(SECRET.into())));
    let log = envoy.log();
    assert!(!log.lines().any(|line| line.contains("wasm log") && line.contains(SECRET)), "{log}");
    Ok(())
}

fn trailers() -> Result<(), Failed> {
    let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let configuration = json!({
        "jwtRules": [{"name": "idp", "issuer": "https://idp.example.com", "jwks": keys::jwks("@p256")}],
        "debug": {"secret": SECRET},
    });
    let gate = Listener::gated("gate", &configuration.to_string());
    let envoy = Envoy::start(&Bootstrap::to(upstream.local_addr()?.port()).listener(gate).with_trailers().json());
    thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = upstream.accept()?;
        http::head(&mut BufReader::new(&stream))?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")?;
        stream.write_all(b"x-claimgate-debug: forged\r\nX_Claimgate_Debug: forged\r\nx-kept: yes\r\n\r\n")
    });
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, envoy.port("gate")))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nte: trailers\r\nconnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("x-kept: yes"), "{reply}");
    assert!(!reply.contains("forged"), "{reply}");
    Ok(())
}

/// An upstream that forges the filter's header.
fn forger() -> Value {
    json!({"name": "envoy.filters.http.header_mutation", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        "mutations": {"response_mutations": [
            {"append": {"header": {"key": "x-claimgate-debug", "value": "forged"}}},
            {"append": {"header": {"key": "x_claimgate_debug", "value": "forged"}}},
        ]},
    }})
}
