//! The module in a stock Envoy, beside Envoy's own `jwt_authn` and RBAC, and beside no filter at all.

use std::{
    fs,
    io::{BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    time::{Duration, Instant},
};

use claimgate_testing::{
    bootstrap::{Bootstrap, Listener},
    envoy::Envoy,
    http,
};
use serde_json::{Value, json};

use super::{
    SIZES, median,
    rules::{self, Kind},
    timed,
};

/// Who decides, by the name of the listener.
const DECIDERS: [&str; 3] = ["claimgate", "rbac", "none"];
const ROUNDS: usize = 5;
/// A batch ends at the first of these.
const BATCH: Duration = Duration::from_millis(300);
const MOST_REQUESTS: u32 = 10_000;
/// `USER_HZ`, which is 100 wherever Linux runs Envoy (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Microseconds a request takes.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

/// Prints the tables.
pub(crate) fn measure() {
    println!(
        "\nload, in Envoy with one worker\n{:>7} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "rules", "decider", "bytes", "start ms", "MB now", "MB peak"
    );
    for size in SIZES {
        for decider in DECIDERS {
            let bootstrap = bootstrap(size, &[decider]);
            let (start, envoy) = timed(|| Envoy::start(&bootstrap));
            let bytes = if decider == "claimgate" { rules::claimgate(size).len() } else { bootstrap.to_string().len() };
            let [now, peak] = ["VmRSS:", "VmHWM:"].map(|field| megabytes(envoy.pid(), field));
            println!("{size:>7} {decider:>10} {bytes:>10} {:>10} {now:>10.0} {peak:>10.0}", start.as_millis());
        }
    }

    let envoys = SIZES.map(|size| Envoy::start(&bootstrap(size, &DECIDERS)));
    for kind in Kind::ALL {
        let costs = rounds(&envoys, kind);
        println!(
            "\nask, in Envoy, {}: us of CPU and of wall time a request, ratios of CPU\n{:>7} {:>10} {:>8} {:>8} {:>12} {:>12} {:>12}",
            kind.name(),
            "rules",
            "decider",
            "cpu",
            "wall",
            "to 10 rules",
            "to no filter",
            "to claimgate"
        );
        for (size, deciders) in SIZES.iter().zip(&costs) {
            for ((decider, cost), least) in DECIDERS.iter().zip(deciders).zip(&costs[0]) {
                let [claimgate, _, none] = deciders.map(|cost| cost.cpu);
                println!(
                    "{size:>7} {decider:>10} {:>8.1} {:>8.1} {:>12.2} {:>12.2} {:>12.2}",
                    cost.cpu,
                    cost.wall,
                    cost.cpu / least.cpu,
                    cost.cpu / none,
                    cost.cpu / claimgate
                );
            }
        }
    }
}

/// The medians, by size and decider.
fn rounds(envoys: &[Envoy; SIZES.len()], kind: Kind) -> [[Cost; DECIDERS.len()]; SIZES.len()] {
    let ports = envoys.each_ref().map(|envoy| DECIDERS.map(|decider| envoy.port(decider)));
    let mut samples = SIZES.map(|_| DECIDERS.map(|_| Vec::new()));
    for _ in 0..ROUNDS {
        for ((envoy, ports), samples) in envoys.iter().zip(ports).zip(&mut samples) {
            let [claimgate, rbac] = kind.statuses();
            for ((port, status), samples) in ports.into_iter().zip([claimgate, rbac, 200]).zip(samples) {
                samples.push(batch(envoy.pid(), port, kind, status));
            }
        }
    }
    samples.map(|deciders| {
        deciders.map(|samples| Cost {
            cpu: median(&samples.iter().map(|cost| cost.cpu).collect::<Vec<_>>()),
            wall: median(&samples.iter().map(|cost| cost.wall).collect::<Vec<_>>()),
        })
    })
}

/// Some requests, one after the other over one connection.
fn batch(pid: u32, port: u16, kind: Kind, status: u16) -> Cost {
    let authorization =
        if kind.has_token() { format!("authorization: Bearer {}\r\n", rules::token()) } else { String::new() };
    let request = format!("GET {} HTTP/1.1\r\nhost: {}\r\n{authorization}\r\n", kind.path(), rules::host());
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(&stream);
    let mut ask = || {
        (&stream).write_all(request.as_bytes()).unwrap();
        assert_eq!(read(&mut reader), status, "{} on port {port}", kind.name());
    };
    // The first one proves the token.
    ask();
    let mut count = 0;
    let (cpu, start) = (cpu_seconds(pid), Instant::now());
    while count < MOST_REQUESTS && start.elapsed() < BATCH {
        ask();
        count += 1;
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds(pid) - cpu);
    Cost { cpu: cpu * 1e6 / f64::from(count), wall: wall * 1e6 / f64::from(count) }
}

/// Reads a whole reply for its status.
fn read(reader: &mut BufReader<&TcpStream>) -> u16 {
    let head = http::head(reader).unwrap();
    let mut space = [httparse::EMPTY_HEADER; 32];
    let mut reply = httparse::Response::new(&mut space);
    reply.parse(&head).unwrap();
    let length = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |length| str::from_utf8(length.value).unwrap().parse().unwrap());
    http::exactly(reader, length).unwrap();
    reply.code.unwrap()
}

/// User and system time of all threads: the 14th and 15th field, where the second may hold blanks (proc(5)).
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux has /proc/<pid>/stat");
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}

fn megabytes(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux has /proc/<pid>/status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

/// The test's listeners, but they answer themselves and write no log: only the deciders are left to pay for.
fn bootstrap(size: usize, deciders: &[&str]) -> Value {
    let bootstrap = deciders.iter().fold(Bootstrap::to(1), |bootstrap, decider| {
        let configuration = if *decider == "claimgate" { rules::claimgate(size) } else { String::new() };
        bootstrap.listener(Listener::gated(decider, &configuration))
    });
    let mut bootstrap = bootstrap.json();
    for (decider, listener) in deciders.iter().zip(bootstrap["static_resources"]["listeners"].as_array_mut().unwrap()) {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["access_log"] = json!([]);
        manager["route_config"]["virtual_hosts"][0]["routes"] =
            json!([{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]);
        let filters = manager["http_filters"].as_array_mut().unwrap();
        match *decider {
            "claimgate" => (),
            "rbac" => drop(filters.splice(..1, rules::envoy(size))),
            _ => drop(filters.remove(0)),
        }
    }
    bootstrap
}
