//! A case decided by the core itself, its effects performed on a plain list of headers.

use std::net::IpAddr;

use claimgate::{
    config::Config,
    connection::{Connection, PeerCertificate, SourceAddress},
    decision_log::Record,
    gate::{Decision, Gate, Step},
    metric::{Metric, NONE, label},
    outbound::wait_queue::StreamId,
    request::{HeaderEdit, Request},
    time::UnixTime,
};

use super::{
    case::{Case, CaseFile, Grpc, Peer, RequestParts},
    observed::Observed,
    outcome::{self, Arrival, Outcome},
};

/// Of every certificate that a case's peer has.
const SUBJECT: &str = "CN=end of a connection";

/// 2026-01-01T00:00:00Z.
pub const NOW: u64 = 1_767_225_600;

/// The gate of a file's configuration.
pub fn gate(file: &CaseFile) -> Gate {
    match Config::parse(file.config.to_string().as_bytes()) {
        Ok((config, _)) => Gate::new(config),
        Err(problems) => panic!("{}: {problems:?}", file.name),
    }
}

/// What a gate does with a case, and what is told of it, held against what the case expects.
pub fn check(gate: &mut Gate, case: &Case) -> Result<(), String> {
    let (outcome, observed) = decide(gate, case.request(NOW), &case.peer, UnixTime::from_secs(NOW));
    outcome.against(&case.expect)?;
    observed.against(case, NOW)
}

/// What becomes of a request, and what those who watch see of it.
pub fn decide(gate: &mut Gate, parts: RequestParts, peer: &Peer, now: UnixTime) -> (Outcome, Observed) {
    let headers = headers(parts);
    let request = Request::new(headers.clone());
    let Decision { mut step, mut record } = gate.admit(StreamId(0), &request, peer, now);
    if step == Step::Wait {
        // No keys are fetched here: what waits, waits for nothing.
        gate.leave(StreamId(0));
        Decision { step, record } = gate.admit_without_waiting(&request, peer, now);
    }
    let observed = Observed { line: gate.line(&record, &request, now).pairs(), stat: stat(&record) };
    let outcome = match step {
        Step::Forward(_) => {
            let upstream = perform(headers, &record.mutation.edits);
            Outcome { status: 200, upstream: Some(upstream), ..Outcome::default() }
        }
        Step::Wait => unreachable!("it has waited long enough"),
        Step::Reply(reply) => {
            let (reason, rule) = outcome::parts(&reply.details);
            let mut headers: Vec<_> = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let (status, body, grpc) = match reply.grpc_status {
                None => (reply.status, reply.body, None),
                // As the proxy sends it: trailers alone, which are headers then.
                Some(status) => {
                    headers.push(("content-type".into(), "application/grpc".into()));
                    (200, String::new(), Some(Grpc { status, message: reply.body }))
                }
            };
            Outcome { status, reason, rule, headers, body, grpc, upstream: None }
        }
    };
    (outcome, observed)
}

/// The counter that the documents promise for a decision.
fn stat(record: &Record) -> String {
    let provider = record.provider().map_or(NONE, label);
    let mut values = vec![record.outcome(), provider];
    if let Some(reason) = record.reason() {
        values.push(reason.code());
        values.extend(record.rule());
    }
    Metric::DECISIONS.stat(&values)
}

impl Connection for Peer {
    fn peer(&self) -> Option<PeerCertificate> {
        let subject = Some(SUBJECT.to_owned());
        self.is_on_tls().then(|| PeerCertificate { uri: self.principal.clone(), dns: self.dns.clone(), subject })
    }

    fn source_ip(&self, _: SourceAddress) -> Option<IpAddr> {
        Some(self.source_ip())
    }

    fn remote_ip(&self) -> Option<IpAddr> {
        Some(self.remote_ip())
    }

    fn destination_ip(&self) -> Option<IpAddr> {
        Some(self.destination_ip())
    }

    fn destination_port(&self) -> Option<u16> {
        Some(self.destination_port())
    }

    fn sni(&self) -> Option<String> {
        self.sni.clone()
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
pub fn perform(mut headers: Vec<(String, Vec<u8>)>, edits: &[HeaderEdit]) -> Arrival {
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => headers.retain(|(present, _)| present != name),
            HeaderEdit::Set(name, value) => {
                headers.retain(|(present, _)| present != name);
                headers.push((name.clone(), value.clone()));
            }
            HeaderEdit::Add(name, value) => headers.push((name.clone(), value.clone())),
        }
    }
    let path = headers.iter().find(|(name, _)| name == ":path").map(|(_, value)| value.clone());
    Arrival { path: String::from_utf8(path.unwrap()).unwrap(), headers }
}
