//! npm's `oidc-provider` as a child process: a real issuer on loopback, with keys that can be rotated.

use super::http::Message;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oidc/provider.mjs");

/// A running provider. Dropping it ends the process.
pub struct OpenIdProvider {
    node: Child,
    conversation: Mutex<Conversation>,
    issuer: String,
    port: u16,
}

/// How often its documents were fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetches {
    pub keys: usize,
    pub discovery: usize,
}

struct Conversation {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

// === impl OpenIdProvider ===

impl OpenIdProvider {
    pub fn start() -> OpenIdProvider {
        let mut node = Command::new("node")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node can be run; `./build.sh test` looks for it");
        let (input, output) = (node.stdin.take().expect("a pipe"), node.stdout.take().expect("a pipe"));
        let mut conversation = Conversation { input, output: BufReader::new(output) };
        let issuer = conversation.hear();
        let port = issuer.rsplit(':').next().and_then(|port| port.parse().ok()).expect("an issuer with a port");
        OpenIdProvider { node, conversation: Mutex::new(conversation), issuer, port }
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// An access token for an audience, by the client credentials grant (RFC 6749 4.4, RFC 8707 2.2); its subject is `alice`.
    pub fn token(&self, audience: &str) -> String {
        let audience = utf8_percent_encode(audience, NON_ALPHANUMERIC);
        let body = format!("grant_type=client_credentials&client_id=alice&client_secret=secret&resource={audience}");
        let message = Message { method: "POST".into(), body: body.clone().into(), ..Message::get("/token") }
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len().to_string());
        let reply = message.send(self.port).expect("the provider answers");
        assert_eq!(reply.status, 200, "{}", reply.text());
        let answer: Value = serde_json::from_slice(&reply.body).expect("JSON (RFC 6749 5.1)");
        answer["access_token"].as_str().expect("a token").into()
    }

    /// Signs with a new key from now on, and publishes it beside the one before; the `kid` of the new one.
    pub fn rotate(&self) -> String {
        self.order("rotate")
    }

    pub fn fetches(&self) -> Fetches {
        let counts = self.order("count");
        let mut counts = counts.split(' ').map(|count| count.parse().expect("a number"));
        Fetches { keys: counts.next().expect("two numbers"), discovery: counts.next().expect("two numbers") }
    }

    fn order(&self, command: &str) -> String {
        let mut conversation = self.conversation.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(conversation.input, "{command}").expect("the provider listens");
        conversation.hear()
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

// === impl Conversation ===

impl Conversation {
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe can be read");
        assert!(line.ends_with('\n'), "oidc-provider has ended: is it installed? `./build.sh test` does that");
        line.trim_end().into()
    }
}
