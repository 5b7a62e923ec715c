//! `claimgate explain`: what a configuration does with a request, why, and what the proxy would log of it.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use claimgate::{
    connection::{Connection, PeerCertificate, SourceAddress},
    gate::{Decision, Gate, Step},
    outbound::wait_queue::StreamId,
    request::{HeaderEdit, Request},
    time::UnixTime,
};

use super::{Outcome, check};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// JSON or YAML, as for `check`, with one configuration.
    file: PathBuf,
    /// The key set that would be fetched, for every rule that fetches one.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The method.
    #[arg(short = 'X', long, default_value = "GET")]
    method: String,
    /// The host, with its port if the client wrote one.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// The path as the proxy has it, query and all.
    #[arg(long, default_value = "/", value_parser = target)]
    path: String,
    /// A header, as in `-H 'authorization: Bearer …'`.
    #[arg(short = 'H', long = "header", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The URI SAN of the peer's certificate, such as `spiffe://cluster.local/ns/default/sa/sleep`.
    #[arg(long)]
    peer: Option<String>,
    /// Who opened the connection.
    #[arg(long, default_value = "127.0.0.1")]
    source_ip: IpAddr,
    /// Who sent the request; the same, if it is not said.
    #[arg(long)]
    remote_ip: Option<IpAddr>,
    /// Where the connection was opened to.
    #[arg(long, default_value = "127.0.0.1")]
    destination_ip: IpAddr,
    /// The port it was opened to.
    #[arg(long, default_value_t = 80)]
    destination_port: u16,
    /// The server name of TLS.
    #[arg(long)]
    sni: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let config = match check::read_one(&arguments.file) {
        Ok(config) => config,
        Err(outcome) => return outcome,
    };
    let (mut gate, request, now) = (Gate::new(config), arguments.request(), now());
    if let Some(Err(outcome)) = arguments.jwks.as_deref().map(|file| preload(&mut gate, file, now)) {
        return outcome;
    }
    let Decision { step, record } = gate.admit(StreamId(0), &request, arguments, now);
    let outcome = match &step {
        Step::Forward(_) => {
            println!("200, the request goes upstream");
            record.mutation.edits.iter().for_each(|edit| println!("  {}", shown(edit)));
            gate.missing_headers(&record).iter().for_each(|missing| println!("  {missing}"));
            println!("{}", gate.line(&record, &request, now));
            Outcome::Good
        }
        Step::Wait => {
            println!(
                "the request waits for keys, which this command does not fetch: name a file that has them, `--jwks keys.json`"
            );
            Outcome::Failed
        }
        Step::Reply(reply) => {
            let reason = record.reason().map(|reason| format!("{}: {reason}", reason.code())).unwrap_or_default();
            println!("{} {reason}", reply.status);
            println!("{}", gate.line(&record, &request, now));
            Outcome::Denied
        }
    };
    record.notes().for_each(|note| println!("{note}"));
    for candidate in gate.explain(&record, &request, arguments) {
        println!("{candidate}");
    }
    outcome
}

fn preload(gate: &mut Gate, file: &Path, now: UnixTime) -> Result<(), Outcome> {
    let jwks = fs::read(file).map_err(|error| {
        eprintln!("{}: {error}", file.display());
        Outcome::Failed
    })?;
    gate.preload(&jwks, now).map_err(|reason| {
        eprintln!("{}: {reason}", file.display());
        Outcome::Failed
    })
}

impl Arguments {
    fn request(&self) -> Request {
        let pseudo = [(":method", &self.method), (":path", &self.path), (":authority", &self.host)];
        let pseudo = pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.clone().into_bytes()));
        Request::new(pseudo.chain(self.joined()).collect())
    }

    /// The headers as a filter in Envoy gets them: of several `Authorization` lines it makes one.
    fn joined(&self) -> Vec<(String, Vec<u8>)> {
        let mut joined: Vec<(String, Vec<u8>)> = Vec::new();
        for (name, value) in &self.headers {
            let first = joined.iter_mut().find(|(other, _)| name == "authorization" && other == name);
            match first {
                Some((_, line)) => line.extend([b",", value.as_bytes()].concat()),
                None => joined.push((name.clone(), value.clone().into_bytes())),
            }
        }
        joined
    }
}

impl Connection for Arguments {
    fn peer(&self) -> Option<PeerCertificate> {
        self.peer.as_deref().map(PeerCertificate::of_uri)
    }

    fn source_ip(&self, _: SourceAddress) -> Option<IpAddr> {
        Some(self.source_ip)
    }

    fn remote_ip(&self) -> Option<IpAddr> {
        Some(self.remote_ip.unwrap_or(self.source_ip))
    }

    fn destination_ip(&self) -> Option<IpAddr> {
        Some(self.destination_ip)
    }

    fn destination_port(&self) -> Option<u16> {
        Some(self.destination_port)
    }

    fn sni(&self) -> Option<String> {
        self.sni.clone()
    }
}

fn shown(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Remove(name) => format!("without {name}"),
        HeaderEdit::Set(name, value) => format!("{name}: {}", String::from_utf8_lossy(value)),
        HeaderEdit::Add(name, value) => format!("also {name}: {}", String::from_utf8_lossy(value)),
    }
}

#[expect(clippy::disallowed_methods, reason = "the desk has a clock, as the proxy has")]
fn now() -> UnixTime {
    UnixTime::since_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Envoy makes a path of an absolute URL, and answers a request with a fragment itself. `CONNECT` has no path, and `OPTIONS`
/// may have `*`.
fn target(text: &str) -> Result<String, &'static str> {
    let is_target = text.starts_with('/') || matches!(text, "" | "*");
    if is_target && !text.contains('#') { Ok(text.to_owned()) } else { Err("a path begins with `/` and has no `#`") }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `name: value`")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}
