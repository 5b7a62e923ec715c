//! The demo: a stock Envoy with `envoy/envoy.yaml`, and what to ask it.
//!
//! `./build.sh demo` runs this from the root of the repository, with `ENVOY_BIN` set. With `--check` it asks all of it
//! itself, compares the answers and stops.

#![allow(
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a demo has a clock and an environment, and may break loudly"
)]

use std::{
    env,
    fs::File,
    net::TcpListener,
    process::{Child, Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use claimgate_testing::{http::Message, token::Recipe};
use serde_json::{Value, json};

/// The ports of `envoy/envoy.yaml`.
const GATEWAY: u16 = 10_000;
const ECHO: u16 = 10_001;
const ADMIN: u16 = 9_901;

const LOG: &str = "target/demo-envoy.log";

/// A question, and what must and must not be in the answer.
struct Question {
    title: &'static str,
    why: &'static str,
    /// For a shell.
    command: String,
    has: Vec<&'static str>,
    lacks: Vec<&'static str>,
}

fn questions() -> Vec<Question> {
    let good = || json!({"sub": "alice", "email": "alice@example.com", "groups": ["payments-admin", "staff"], "exp": "@now+3600"});
    let with = |changes: Value| {
        let mut claims = good();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let url = format!("http://127.0.0.1:{GATEWAY}/charge");
    let bearer = |key: &str, claims: Value| format!("-H 'authorization: Bearer {}'", signed(key, claims));
    vec![
        Question {
            title: "no token",
            why: "401 token_missing: the rule says `presence: REQUIRED`; a bare challenge, no error (RFC 6750 section 3.1)",
            command: format!("curl -i {url}"),
            has: vec!["HTTP/1.1 401", "www-authenticate: Bearer realm=\"127.0.0.1:10000\"\r", "token_missing"],
            lacks: vec!["error=", ":path"],
        },
        Question {
            title: "a good token, and a forged x-user-email beside it",
            why: "200: the upstream sees the claims as headers, neither the token nor the forgery",
            command: format!("curl -i -H 'x-user-email: root@example.com' {} {url}", bearer("p256", good())),
            has: vec![
                "HTTP/1.1 200",
                "x-user-email: alice@example.com\n",
                "x-user-groups: payments-admin,staff\n",
                ":path: /charge\n",
            ],
            lacks: vec!["root@example.com", "authorization:"],
        },
        Question {
            title: "the same token, expired two minutes ago",
            why: "401 token_expired: past `exp` and the minute of skew",
            command: format!("curl -i {} {url}", bearer("p256", with(json!({"exp": "@now-120"})))),
            has: vec![
                "HTTP/1.1 401",
                "error=\"invalid_token\", error_description=\"the token has expired\"",
                "token_expired",
            ],
            lacks: vec![":path"],
        },
        Question {
            title: "a token that a stranger signed in the issuer's name",
            why: "401 signature_invalid: it names the issuer's key, and that key did not sign it",
            command: format!("curl -i {} {url}", bearer("p256b", good())),
            has: vec!["HTTP/1.1 401", "error=\"invalid_token\"", "signature_invalid"],
            lacks: vec![":path"],
        },
        Question {
            title: "a token that lacks the claim `aud`",
            why: "401 audience_not_allowed: the rule wants `api://payments`",
            command: format!("curl -i {} {url}", bearer("p256", with(json!({"aud": "@absent"})))),
            has: vec!["HTTP/1.1 401", "error=\"invalid_token\"", "audience_not_allowed"],
            lacks: vec![":path"],
        },
        Question {
            title: "a good token that lacks the claim `email`, and a forged header in its place",
            why: "200: there is nothing to hand over, and the forgery is gone all the same",
            command: format!(
                "curl -i -H 'x-user-email: root@example.com' {} {url}",
                bearer("p256", with(json!({"email": "@absent"})))
            ),
            has: vec!["HTTP/1.1 200", "x-user-groups: payments-admin,staff\n"],
            lacks: vec!["x-user-email", "root@example.com"],
        },
        Question {
            title: "a charge, with a good token that lacks the group",
            why: "403 policy_not_allowed: the policy `payments` wants the group payments-admin for `POST /charge`",
            command: format!("curl -i -X POST {} {url}", bearer("p256", with(json!({"groups": ["staff"]})))),
            has: vec!["HTTP/1.1 403", "error=\"insufficient_scope\"", "policy_not_allowed"],
            lacks: vec![":path"],
        },
        Question {
            title: "a charge, with a token that has the group",
            why: "200: the rule `charge` of the policy allows it",
            command: format!("curl -i -X POST {} {url}", bearer("p256", good())),
            has: vec!["HTTP/1.1 200", ":method: POST\n", "x-user-groups: payments-admin,staff\n"],
            lacks: vec!["authorization:"],
        },
        Question {
            title: "the log line of each reason",
            why: "why, by which rule, and what the token says of itself; nothing that could be used",
            command: format!("grep -o 'denied: .*' {LOG}"),
            has: vec![
                "denied: reason=token_missing provider=https://idp.example.com token=none method=GET ",
                "denied: reason=token_expired provider=https://idp.example.com token=claimed iss=https://idp.example.com sub=sha256:",
                "denied: reason=policy_not_allowed provider=https://idp.example.com token=proven ",
            ],
            lacks: vec!["alice"],
        },
        Question {
            title: "what was counted",
            why: "decisions by outcome, rule and reason, and how often a token was known already",
            command: format!("curl http://127.0.0.1:{ADMIN}/stats | grep claimgate"),
            has: vec![
                "wasmcustom.claimgate.decisions.outcome=allowed.provider=idp_example_com: 3\n",
                "wasmcustom.claimgate.decisions.outcome=denied.provider=idp_example_com.reason=token_expired: 1\n",
            ],
            lacks: vec![],
        },
        Question {
            title: "the same as Prometheus sees it",
            why: "the labels are the `stats_tags` of envoy/envoy.yaml",
            command: format!("curl 'http://127.0.0.1:{ADMIN}/stats/prometheus?filter=wasmcustom'"),
            has: vec![
                "claimgate_decisions{outcome=\"allowed\",provider=\"idp_example_com\"} 3\n",
                "claimgate_decisions{outcome=\"denied\",provider=\"idp_example_com\",reason=\"token_missing\"} 1\n",
                "claimgate_decisions{outcome=\"denied\",provider=\"idp_example_com\",reason=\"policy_not_allowed\"} 1\n",
            ],
            lacks: vec![],
        },
    ]
}

/// Signed with the key of RFC 7515 A.3, or with another one that claims to be it.
fn signed(key: &str, claims: Value) -> String {
    let recipe = json!({"key": key, "header": {"kid": "rfc7515-a3"}, "claims": claims});
    let recipe: Recipe = serde_json::from_value(recipe).unwrap();
    recipe.sign(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

fn main() -> ExitCode {
    match demo(env::args().any(|argument| argument == "--check")) {
        Ok(code) => code,
        Err(sentence) => {
            eprintln!("demo: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn demo(check: bool) -> Result<ExitCode, String> {
    let envoy = Envoy::start(check)?;
    for (number, question) in questions().iter().enumerate() {
        println!("\n{}. {}\n   {}\n\n{}", number + 1, question.title, question.why, question.command);
    }
    if check {
        return ask(&questions());
    }
    println!(
        "\nEnvoy listens on 127.0.0.1:{GATEWAY}; its access log follows, its other log is {LOG}. Ctrl-C stops it.\n"
    );
    envoy.wait()
}

/// Runs the very lines that are printed.
fn ask(questions: &[Question]) -> Result<ExitCode, String> {
    println!();
    let mut failed = 0;
    for question in questions {
        let command = question.command.replacen("curl", "curl --silent --show-error --max-time 10", 1);
        let output =
            Command::new("sh").arg("-c").arg(command).output().map_err(|error| format!("no shell: {error}"))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        if answer.is_empty() {
            return Err(format!("there was no answer: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let missing = question.has.iter().filter(|part| !answer.contains(**part)).map(|part| format!("lacks {part:?}"));
        let surplus = question.lacks.iter().filter(|part| answer.contains(**part)).map(|part| format!("has {part:?}"));
        let differences: Vec<String> = missing.chain(surplus).collect();
        if differences.is_empty() {
            println!("test {} ... ok", question.title);
        } else {
            failed += 1;
            println!("test {} ... FAILED: the answer {}\n{answer}", question.title, differences.join(", "));
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {} passed; {failed} failed", questions.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The child process. It ends with this one, however this one ends.
struct Envoy(Arc<Mutex<Child>>);

impl Envoy {
    fn start(quiet: bool) -> Result<Self, String> {
        let program = env::var("ENVOY_BIN").map_err(|_| "ENVOY_BIN is not set: run `./build.sh demo`")?;
        for port in [GATEWAY, ECHO, ADMIN] {
            TcpListener::bind(("127.0.0.1", port))
                .map_err(|_| format!("port {port} is taken: stop what listens there, perhaps another demo"))?;
        }
        let log = File::create(LOG).map_err(|error| format!("{LOG}: {error}"))?;
        let child = Command::new(&program)
            .args(["-c", "envoy/envoy.yaml", "--concurrency", "1", "--disable-hot-restart"])
            .stdin(Stdio::null())
            .stdout(if quiet { Stdio::null() } else { Stdio::inherit() })
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let envoy = Self(Arc::new(Mutex::new(child)));
        let child = Arc::clone(&envoy.0);
        ctrlc::set_handler(move || {
            end(&child);
            std::process::exit(0);
        })
        .map_err(|error| error.to_string())?;
        envoy.wait_until_ready()?;
        Ok(envoy)
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if self.has_ended() {
                return Err(format!("Envoy ended at once; {LOG} says why"));
            }
            if Message::get("/ready").send(ADMIN).is_ok_and(|reply| reply.text() == "LIVE\n") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("Envoy was not ready within 30 s; {LOG} may say why"))
    }

    fn wait(&self) -> Result<ExitCode, String> {
        while !self.has_ended() {
            thread::sleep(Duration::from_millis(200));
        }
        Err(format!("Envoy ended; {LOG} says why"))
    }

    fn has_ended(&self) -> bool {
        !matches!(self.0.lock().unwrap().try_wait(), Ok(None))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        end(&self.0);
    }
}

fn end(child: &Mutex<Child>) {
    let mut child = child.lock().unwrap();
    // Both fail only when Envoy is gone already.
    let _ = child.kill();
    let _ = child.wait();
}
