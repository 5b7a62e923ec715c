//! Every case of the corpus through Envoy: one listener a file.

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};

use crate::support::{
    bootstrap::{Bootstrap, Listener},
    case::{Case, CaseFile, corpus},
    envoy::Envoy,
    http::Message,
    outcome::{Arrival, Outcome},
    upstream::Upstream,
};

/// Envoy with all configurations of the corpus, and what stands behind it.
struct Lab {
    files: Vec<CaseFile>,
    upstream: Upstream,
    envoy: OnceLock<Envoy>,
}

pub(crate) fn trials() -> Vec<Trial> {
    let lab = Arc::new(Lab { files: corpus(), upstream: Upstream::start(), envoy: OnceLock::new() });
    let mut trials = Vec::new();
    for (file, cases) in lab.files.iter().enumerate().map(|(index, file)| (index, &file.cases)) {
        for case in (0..cases.len()).filter(|index| cases[*index].runs_in("envoy")) {
            let lab = Arc::clone(&lab);
            let name = format!("corpus {}: {}", lab.files[file].name, cases[case].name);
            trials.push(Trial::test(name, move || lab.try_case(file, case)));
        }
    }
    trials.push(Trial::test("corpus: the worker outlives every case", move || lab.try_to_break()));
    trials
}

impl Lab {
    fn envoy(&self) -> &Envoy {
        self.envoy.get_or_init(|| {
            let listeners = self.files.iter().map(|file| Listener::gated(&file.name, &file.config.to_string()));
            Envoy::start(&listeners.fold(Bootstrap::to(self.upstream.port()), Bootstrap::listener).json())
        })
    }

    /// All requests in a row to one Envoy; afterwards nothing has panicked and a good token still passes.
    fn try_to_break(&self) -> Result<(), Failed> {
        for file in &self.files {
            let port = self.envoy().port(&file.name);
            for case in file.cases.iter().filter(|case| case.runs_in("envoy")) {
                message(case, "storm").send(port)?;
            }
        }
        assert!(!self.envoy().log().contains("panicked"), "{}", self.envoy().log());
        let file = self.files.iter().position(|file| file.name == "claims/expiration").ok_or("no such file")?;
        self.try_case(file, 0)
    }

    fn try_case(&self, file: usize, index: usize) -> Result<(), Failed> {
        let case = &self.files[file].cases[index];
        let port = self.envoy().port(&self.files[file].name);
        // Twice: what is remembered of a token must not change what becomes of it.
        for round in 0..2 {
            let id = format!("{file}-{index}-{round}");
            let reply = message(case, &id).send(port)?;
            let details = self.envoy().logged(&id)["response_code_details"].as_str().unwrap_or_default().to_owned();
            let reason = details.strip_prefix("claimgate_denied{").and_then(|rest| rest.strip_suffix('}'));
            let outcome = Outcome {
                status: reply.status,
                reason: reason.map(str::to_owned),
                www_authenticate: reply.header("www-authenticate"),
                body: reply.text(),
                upstream: self.upstream.seen(&id).map(|seen| Arrival { path: seen.path, headers: seen.headers }),
            };
            outcome.against(&case.expect)?;
        }
        Ok(())
    }
}

fn message(case: &Case, id: &str) -> Message {
    let now = crate::now();
    let parts = case.request(now);
    let start = Message { method: parts.method, path: parts.path.into_bytes(), ..Message::default() };
    let start = start.header("host", parts.host).header("x-case", id);
    parts.headers.iter().fold(start, |message, (name, value)| message.header(name, value))
}
