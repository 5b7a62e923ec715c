//! A case decided by the core itself, its effects performed on a plain list of headers.

use claimgate::{
    config::Config,
    effect::{Effects, HeaderEdit},
    gate::{Gate, Step},
    request::Request,
    time::UnixTime,
};

use super::{
    case::{Case, CaseFile, RequestParts},
    outcome::{Arrival, Outcome},
};

/// 2026-01-01T00:00:00Z.
pub const NOW: u64 = 1_767_225_600;

/// The gate of a file's configuration.
pub fn gate(file: &CaseFile) -> Gate {
    match Config::parse(file.config.to_string().as_bytes()) {
        Ok((config, _)) => Gate::new(config),
        Err(problems) => panic!("{}: {problems:?}", file.name),
    }
}

/// What a gate does with a case.
pub fn decide(gate: &mut Gate, case: &Case) -> Outcome {
    let request = headers(case.request(NOW));
    match gate.admit(&Request::new(request.clone()), UnixTime::from_secs(NOW)) {
        Step::Continue(_, effects) => {
            Outcome { status: 200, upstream: Some(perform(request, effects)), ..Outcome::default() }
        }
        Step::Reply(denial, reply) => Outcome {
            status: reply.status,
            reason: Some(denial.code().to_owned()),
            www_authenticate: reply.challenge,
            body: reply.body,
            upstream: None,
        },
    }
}

/// A request as a proxy holds it.
pub fn headers(parts: RequestParts) -> Vec<(String, Vec<u8>)> {
    let pseudo =
        [(":method", parts.method), (":path", parts.path), (":authority", parts.host), (":scheme", "http".into())];
    let pseudo = pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
    pseudo.chain(parts.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value))).collect()
}

/// What a proxy does with the edits.
pub fn perform(mut headers: Vec<(String, Vec<u8>)>, effects: Effects) -> Arrival {
    for edit in effects.edits {
        match edit {
            HeaderEdit::Remove(name) => headers.retain(|(present, _)| *present != name),
            HeaderEdit::Set(name, value) => {
                headers.retain(|(present, _)| *present != name);
                headers.push((name, value));
            }
            HeaderEdit::Add(name, value) => headers.push((name, value)),
        }
    }
    let path = headers.iter().find(|(name, _)| name == ":path").map(|(_, value)| value.clone());
    Arrival { path: String::from_utf8(path.unwrap()).unwrap(), headers }
}
