//! What those who watch are told of a decision: a line of the log and a counter, held against the case.

use claimgate::decision_log::logfmt::Pairs;

use super::case::Case;

/// Any run of a token that is as long is the token's own.
const RUN: usize = 12;

/// What is told of one decision.
#[derive(Debug, Default)]
pub struct Observed {
    /// The line, from its first pair on.
    pub line: String,
    /// The stat that goes up.
    pub stat: String,
}

impl Observed {
    /// Everything told that is not as the case has it, whether it says so or not.
    pub fn against(&self, case: &Case, now: u64) -> Result<(), String> {
        let Self { line, stat } = self;
        let expect = &case.expect;
        let complaint = |what: &str| Err(format!("the log says {what}: {line}"));
        if !line.starts_with(&expect.reason.as_ref().map_or(String::new(), |reason| format!("reason={reason} "))) {
            return complaint("another reason");
        }
        if expect.reason.is_none() && line.contains("reason=") {
            return complaint("a reason");
        }
        if let Some(rule) = &expect.rule {
            let said = if rule.is_empty() { "rule=".into() } else { format!(" {} ", pairs(&[("rule", rule)])) };
            if line.contains(&said) == rule.is_empty() {
                return complaint("another rule");
            }
        }
        let request = case.request(now);
        let path = request.path.split(['?', '#']).next().unwrap_or_default();
        let end = pairs(&[("method", &request.method), ("host", &request.host), ("path", path)]);
        if !line.ends_with(&format!(" {end}")) {
            return complaint(&format!("something else than `{end}`"));
        }
        for token in case.tokens(now) {
            let mut runs = token.split('.').flat_map(|part| part.as_bytes().windows(RUN));
            if let Some(run) = runs.find(|run| line.as_bytes().windows(RUN).any(|told| told == *run)) {
                return complaint(&format!("`{}` of a token", String::from_utf8_lossy(run)));
            }
        }
        let outcome = if expect.reason.is_some() { "denied" } else { "allowed" };
        let reason = expect.reason.as_ref().map_or(String::new(), |reason| format!(".reason={reason}"));
        if !stat.starts_with(&format!("claimgate.decisions.outcome={outcome}.provider=")) || !stat.contains(&reason) {
            return Err(format!("counted as {stat}"));
        }
        match &expect.log {
            Some(log) if log != line => Err(format!("log is {line:?}, expected {log:?}")),
            _ => Ok(()),
        }
    }
}

fn pairs(pairs: &[(&'static str, &str)]) -> String {
    let mut told = Pairs::default();
    pairs.iter().for_each(|(key, value)| told.tell(key, value));
    told.into_line()
}
