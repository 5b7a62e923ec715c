//! The core alone: it compiles and decides in this process.

use std::{hint::black_box, net::IpAddr};

use claimgate::{
    config::Config,
    connection::{Connection, PeerCertificate, SourceAddress},
    gate::{Gate, Step},
    outbound::wait_queue::StreamId,
    request::Request,
    time::UnixTime,
};

use super::{
    SIZES, median, now,
    rules::{self, Kind},
    timed,
};

/// A decision among the most rules may cost so many times one among the fewest.
const MOST_GROWTH: f64 = 2.0;
/// The most rules compile within so many milliseconds.
const LONGEST_COMPILE: f64 = 1_000.0;
/// Machines are noisy: one quiet attempt is enough.
const ATTEMPTS: usize = 5;
const COMPILE_ROUNDS: usize = 5;
const DECIDE_ROUNDS: usize = 31;
/// So many decisions are timed at once.
const BATCH: u32 = 500;

/// Nobody asks about the connection here.
struct Unasked;

/// Prints the tables, and says what is too slow.
pub(crate) fn measure() -> Result<(), String> {
    let configurations = SIZES.map(rules::claimgate);
    let compiled = compile(&configurations);
    println!("\ncompile, native\n{:>7} {:>10} {:>10} {:>10}", "rules", "bytes", "ms", "us/rule");
    for ((size, configuration), milliseconds) in SIZES.iter().zip(&configurations).zip(compiled) {
        let each = milliseconds * 1_000.0 / *size as f64;
        println!("{size:>7} {:>10} {milliseconds:>10.2} {each:>10.2}", configuration.len());
    }

    let mut gates: Vec<Gate> = configurations.iter().map(|text| Gate::new(parse(text))).collect();
    let mut grown = Vec::new();
    for kind in Kind::ALL {
        let request = request(kind);
        let mut least = f64::INFINITY;
        for attempt in 1..=ATTEMPTS {
            let costs = decide(&mut gates, &request, kind);
            let growth = costs.last().unwrap() / costs[0];
            println!(
                "\ndecide, native, {}, attempt {attempt}\n{:>7} {:>10} {:>10}",
                kind.name(),
                "rules",
                "ns",
                "ratio"
            );
            for (size, cost) in SIZES.iter().zip(&costs) {
                println!("{size:>7} {cost:>10.0} {:>10.2}", cost / costs[0]);
            }
            least = least.min(growth);
            if least <= MOST_GROWTH {
                break;
            }
        }
        if least > MOST_GROWTH {
            grown.push(format!("{} costs {least:.1} times as much", kind.name()));
        }
    }

    let longest = compiled.last().unwrap();
    if *longest >= LONGEST_COMPILE {
        grown.push(format!("compiling takes {longest:.0} ms"));
    }
    if grown.is_empty() { Ok(()) } else { Err(format!("with {} rules {}", SIZES[SIZES.len() - 1], grown.join(", "))) }
}

/// Milliseconds for each size, the least noisy of some.
fn compile(configurations: &[String; SIZES.len()]) -> [f64; SIZES.len()] {
    let mut samples = SIZES.map(|_| Vec::new());
    for attempt in 1..=ATTEMPTS {
        for _ in 0..COMPILE_ROUNDS {
            for (text, samples) in configurations.iter().zip(&mut samples) {
                let (elapsed, config) = timed(|| parse(black_box(text)));
                drop(config);
                samples.push(elapsed.as_secs_f64() * 1_000.0);
            }
        }
        if attempt == ATTEMPTS || median(samples.last().unwrap()) < LONGEST_COMPILE {
            break;
        }
        samples.iter_mut().for_each(Vec::clear);
    }
    samples.map(|samples| median(&samples))
}

/// Nanoseconds for each size.
fn decide(gates: &mut [Gate], request: &Request, kind: Kind) -> Vec<f64> {
    let now = UnixTime::from_secs(now());
    for gate in gates.iter_mut() {
        let status = match gate.admit(StreamId(0), request, &Unasked, now).step {
            Step::Forward(_) => 200,
            Step::Reply(reply) => reply.status,
            Step::Wait => 0,
        };
        assert_eq!(status, kind.statuses()[0], "{}", kind.name());
    }
    let mut samples = vec![Vec::new(); gates.len()];
    for _ in 0..DECIDE_ROUNDS {
        for (gate, samples) in gates.iter_mut().zip(&mut samples) {
            let (elapsed, ()) = timed(|| {
                for _ in 0..BATCH {
                    black_box(gate.admit(StreamId(0), black_box(request), &Unasked, now));
                }
            });
            samples.push(elapsed.as_secs_f64() * 1e9 / f64::from(BATCH));
        }
    }
    samples.iter().map(|samples| median(samples)).collect()
}

fn parse(text: &str) -> Config {
    Config::parse(text.as_bytes()).map(|(config, _)| config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// As Envoy hands over what curl sends.
fn request(kind: Kind) -> Request {
    let mut headers = vec![
        (":authority", rules::host()),
        (":path", kind.path()),
        (":method", "GET".to_owned()),
        (":scheme", "http".to_owned()),
        ("user-agent", "curl/8.5.0".to_owned()),
        ("accept", "*/*".to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-request-id", "2d2f4f3b-0d0e-4b1c-9f5e-3a4b5c6d7e8f".to_owned()),
    ];
    if kind.has_token() {
        headers.push(("authorization", format!("Bearer {}", rules::token())));
    }
    Request::new(headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect())
}

impl Connection for Unasked {
    fn peer(&self) -> Option<PeerCertificate> {
        None
    }

    fn source_ip(&self, _: SourceAddress) -> Option<IpAddr> {
        None
    }

    fn remote_ip(&self) -> Option<IpAddr> {
        None
    }

    fn destination_ip(&self) -> Option<IpAddr> {
        None
    }

    fn destination_port(&self) -> Option<u16> {
        None
    }

    fn sni(&self) -> Option<String> {
        None
    }
}
