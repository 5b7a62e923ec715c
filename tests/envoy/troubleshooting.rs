//! The output in `docs/troubleshooting.md` is real: each of its situations in Envoy, with an issuer that has keys.

use std::{
    fs,
    path::{Path, PathBuf},
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    console::{Session, Shell, Step},
    envoy::Envoy,
    http::Message,
    key_server::KeyServer,
    keys,
    patience::patiently,
    token::Recipe,
    trouble::{self, Situation},
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use serde_json::json;

/// The cluster that istiod would create, from which keys are fetched by default.
const ISSUER: &str = "outbound|443||idp.example.com";

/// The situation without this cluster.
const WITHOUT_CLUSTER: &str = "Everything is 503";

/// The hosts of the document are local here, on other ports and without TLS.
const PRELUDE: &str = r#"curl() {
    command curl --noproxy '*' --connect-to "localhost:10000:127.0.0.1:$GATE" --connect-to "localhost:9901:127.0.0.1:$ADMIN" \
        --connect-to "idp.example.com:80:127.0.0.1:$ISSUER" "${@/#https:/http:}"
}"#;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |session: Session| {
        Trial::test(format!("troubleshooting: {}", session.heading), move || Lab::open(&session)?.hold(&session))
    };
    trouble::sessions().into_iter().map(trial).collect()
}

/// A situation with everything around it.
struct Lab {
    folder: PathBuf,
    situation: Situation,
    upstream: Upstream,
    issuer: KeyServer,
}

impl Lab {
    fn open(session: &Session) -> Result<Self, Failed> {
        let name: String = session.heading.chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("trouble-{name}"));
        fs::create_dir_all(&folder)?;
        let situation = trouble::situation(&session.heading);
        let issuer = KeyServer::start();
        issuer.serves(situation.keys);
        Ok(Self { folder, situation, upstream: Upstream::start(), issuer })
    }

    /// Runs every command below a heading, with a new Envoy for each configuration.
    fn hold(&self, session: &Session) -> Result<(), Failed> {
        let mut complaints = Vec::new();
        let steps: Vec<&Step> = session.steps.iter().collect();
        for steps in steps.chunk_by(|one, other| one.configuration == other.configuration) {
            // Commands without a proxy run in `tests/troubleshooting.rs`.
            if !steps.iter().any(|step| step.needs_proxy()) {
                continue;
            }
            complaints.extend(self.hold_some(&session.heading, steps)?);
        }
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(format!("docs/troubleshooting.md:\n{}", complaints.join("\n")).into())
        }
    }

    fn hold_some(&self, heading: &str, steps: &[&Step]) -> Result<Vec<String>, Failed> {
        let configuration = &steps.first().ok_or("no command")?.configuration;
        let gate = Listener::gated("gate", &configuration.to_string());
        let mut bootstrap = Bootstrap::to(self.upstream.port());
        if heading != WITHOUT_CLUSTER {
            bootstrap = bootstrap.cluster(ISSUER, self.issuer.port());
        }
        let envoy = Envoy::start(&bootstrap.listener(gate).json());
        let port = envoy.port("gate");
        self.prepare(heading, &envoy, configuration["jwtRules"][0]["jwks"].is_null())?;
        fs::write(self.folder.join("keys.json"), keys::jwks(self.situation.keys))?;
        let shell = Shell {
            folder: &self.folder,
            claimgate: Path::new(option_env!("CARGO_BIN_EXE_claimgate").ok_or("no `claimgate`")?).parent().unwrap(),
            prelude: PRELUDE.into(),
            variables: vec![
                ("TOKEN", self.situation.token.sign(crate::now())),
                ("SECRET", "make one: openssl rand -hex 16".into()),
                ("GATE", port.to_string()),
                ("ADMIN", envoy.admin_port().to_string()),
                ("ISSUER", self.issuer.port().to_string()),
            ],
        };
        let mut complaints = Vec::new();
        for step in steps {
            let look = || {
                fs::write(self.folder.join("envoy.log"), envoy.log()).ok()?;
                let complaint = step.complaint(&shell.run(step));
                let is_final = complaint.is_none() || !step.reads_what_comes_late();
                is_final.then_some(complaint)
            };
            complaints.extend(patiently(look).unwrap_or_else(|| step.complaint(&shell.run(step))));
        }
        Ok(complaints)
    }

    /// What happens before the first command.
    fn prepare(&self, heading: &str, envoy: &Envoy, fetches: bool) -> Result<(), Failed> {
        let has_keys = || (envoy.stat("wasmcustom.claimgate.keys.source=idp") > 0).then_some(());
        if fetches && heading != WITHOUT_CLUSTER {
            patiently(has_keys).ok_or("the proxy has no keys")?;
        }
        if heading == "One expired agent among many" {
            let (now, port) = (crate::now(), envoy.port("gate"));
            let ask = |token: &Recipe| {
                let message = Message { method: "GET".into(), path: "/orders".into(), ..Message::default() };
                let authorization = format!("Bearer {}", token.sign(now));
                message.header("host", "localhost:10000").header("authorization", authorization).send(port)
            };
            for agent in ["agent-1", "agent-2", "agent-3"] {
                let claims = json!({"sub": agent}).as_object().cloned().unwrap_or_default();
                assert_eq!(ask(&Recipe { claims, ..Recipe::default() })?.status, 200);
            }
            for _ in 0..2 {
                assert_eq!(ask(&self.situation.token)?.status, 401);
            }
        }
        Ok(())
    }
}
