//! Every case of the corpus through Envoy: one listener for each file, and one over TLS if a case needs a certificate.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, OnceLock},
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    case::{Case, CaseFile, Grpc, Peer, RequestParts, corpus},
    envoy::Envoy,
    http::{Message, Reply},
    outcome::{self, Arrival, Outcome},
    tls::{self, Authority, Client},
    upstream::Upstream,
};
use libtest_mimic::{Failed, Trial};
use percent_encoding::percent_decode_str;

/// Envoy with all configurations of the corpus, and its upstream.
pub(crate) struct Lab {
    pub(crate) files: Vec<CaseFile>,
    upstream: Upstream,
    authority: Authority,
    /// By who they are.
    clients: BTreeMap<Party, Client>,
    envoy: OnceLock<Envoy>,
}

/// Principal, DNS name and server name.
type Party = [Option<String>; 3];

fn party(peer: &Peer) -> Party {
    [&peer.principal, &peer.dns, &peer.sni].map(Clone::clone)
}

pub(crate) fn trials() -> Vec<Trial> {
    trials_of(Lab::open(corpus()), "corpus")
}

/// A trial for each case of these files.
pub(crate) fn trials_of(lab: Lab, title: &str) -> Vec<Trial> {
    let lab = Arc::new(lab);
    let mut trials = Vec::new();
    for (file, cases) in lab.files.iter().enumerate().map(|(index, file)| (index, &file.cases)) {
        for case in (0..cases.len()).filter(|index| cases[*index].runs_in("envoy")) {
            let lab = Arc::clone(&lab);
            let name = format!("{title} {}: {}", lab.files[file].name, cases[case].name);
            trials.push(Trial::test(name, move || lab.try_case(file, case)));
        }
    }
    trials
}

impl Lab {
    pub(crate) fn open(files: Vec<CaseFile>) -> Self {
        let authority = Authority::generate();
        let on_tls = files.iter().flat_map(|file| &file.cases).filter(|case| case.peer.is_on_tls());
        let clients = on_tls.map(|case| {
            let names = case.peer.principal.as_deref().map(tls::uri).into_iter();
            let names = names.chain(case.peer.dns.as_deref().map(tls::dns)).collect();
            (party(&case.peer), authority.client(names, case.peer.sni.as_deref()))
        });
        Self { clients: clients.collect(), authority, upstream: Upstream::start(), envoy: OnceLock::new(), files }
    }

    pub(crate) fn envoy(&self) -> &Envoy {
        self.envoy.get_or_init(|| {
            let listeners = self.files.iter().flat_map(|file| self.listeners(file));
            Envoy::start(&listeners.fold(Bootstrap::to(self.upstream.port()), Bootstrap::listener).json())
        })
    }

    fn listeners(&self, file: &CaseFile) -> impl Iterator<Item = Listener> {
        let listener = |name: &str| Listener::gated(name, &file.config.to_string()).telling_direct_addresses();
        let plain = listener(&file.name);
        let on_tls = file.cases.iter().any(|case| case.runs_in("envoy") && case.peer.is_on_tls());
        let tls = on_tls.then(|| {
            let names = self.clients.keys().filter_map(|[.., sni]| sni.as_deref()).collect();
            listener(&over_tls(&file.name)).over(self.authority.downstream(&names))
        });
        [Some(plain), tls].into_iter().flatten()
    }

    /// Sends a case's request, as it was filled in before.
    pub(crate) fn send(&self, file: &CaseFile, case: &Case, parts: RequestParts, id: &str) -> io::Result<Reply> {
        let message = message(parts, &case.peer, id);
        if !case.peer.is_on_tls() {
            return message.send(self.envoy().port(&file.name));
        }
        let client = &self.clients[&party(&case.peer)];
        message.send_as(client, self.envoy().port(&over_tls(&file.name)))
    }

    fn try_case(&self, file: usize, index: usize) -> Result<(), Failed> {
        let case = &self.files[file].cases[index];
        // Twice: a cached token must not change the outcome.
        for round in 0..2 {
            let id = format!("{file}-{index}-{round}");
            let reply = self.send(&self.files[file], case, case.request(crate::now()), &id)?;
            let logged = self.envoy().logged(&id);
            let (reason, rule) = outcome::parts(logged["response_code_details"].as_str().unwrap_or_default());
            let outcome = Outcome {
                status: reply.status,
                reason,
                rule,
                headers: headers(&reply),
                body: reply.text(),
                grpc: grpc(&reply),
                upstream: self.upstream.seen(&id).map(|seen| Arrival { path: seen.path, headers: seen.headers }),
            };
            outcome.against(&case.expect)?;
        }
        Ok(())
    }
}

fn headers(reply: &Reply) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    reply.headers.iter().map(|(name, value)| (name.to_lowercase(), text(value))).collect()
}

/// What a gRPC client makes of the headers; the message is percent-encoded.
fn grpc(reply: &Reply) -> Option<Grpc> {
    let status = reply.header("grpc-status")?.parse().unwrap();
    let message = reply.header("grpc-message").unwrap_or_default();
    let message = percent_decode_str(&message).decode_utf8().unwrap().into_owned();
    Some(Grpc { status, message })
}

fn over_tls(name: &str) -> String {
    format!("{name}, over TLS")
}

fn message(parts: RequestParts, peer: &Peer, id: &str) -> Message {
    let start = Message { method: parts.method, path: parts.path.into_bytes(), ..Message::default() };
    let start = start.header("host", parts.host).header("x-case", id);
    // Envoy trusts the last address unless `use_remote_address` is set.
    let forwarded = peer.forwarded().map(|ip| ip.to_string());
    let start = forwarded.into_iter().fold(start, |start, ip| start.header("x-forwarded-for", ip));
    parts.headers.iter().fold(start, |message, (name, value)| message.header(name, value))
}
