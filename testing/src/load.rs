//! Load that looks at every reply: some clients that ask in turns, each over a connection that stays open.
//!
//! Each client waits for a reply before it asks again.

use super::http::{Connection, Message, Reply};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// After a connection broke, so that a refused one does not keep a processor busy.
const REST: Duration = Duration::from_millis(10);

/// So many failures are told in words.
const COMPLAINTS: usize = 5;

/// Load before it starts: as fast as two clients are.
pub struct Load {
    port: u16,
    clients: u32,
    /// Between two requests of one client.
    interval: Duration,
    questions: RwLock<Vec<Question>>,
    stopped: AtomicBool,
}

/// Load that goes on until it is stopped.
pub struct Running {
    load: Arc<Load>,
    clients: Vec<JoinHandle<Tally>>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    statuses: BTreeMap<String, BTreeMap<u16, usize>>,
    latencies: BTreeMap<String, Vec<Duration>>,
    failed: usize,
    complaints: Vec<String>,
}

/// How long replies took, connections that broke apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    pub least: Duration,
    pub median: Duration,
    pub p99: Duration,
    pub most: Duration,
}

#[derive(Clone)]
struct Question {
    label: String,
    message: Message,
    is_good: Arc<dyn Fn(&Reply) -> bool + Send + Sync>,
}

// === impl Load ===

impl Load {
    pub fn on(port: u16) -> Load {
        Load {
            port,
            clients: 2,
            interval: Duration::ZERO,
            questions: RwLock::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// One more request to choose from; a reply that is not good counts as failed.
    pub fn ask(self, label: &str, message: Message, is_good: impl Fn(&Reply) -> bool + Send + Sync + 'static) -> Load {
        self.add(label, message, is_good);
        self
    }

    pub fn clients(self, clients: u32) -> Load {
        Load { clients, ..self }
    }

    /// At most so many requests in a second, of all clients together; comes after `clients`.
    pub fn per_second(self, rate: u32) -> Load {
        Load { interval: Duration::from_secs(1) * self.clients / rate, ..self }
    }

    pub fn start(self) -> Running {
        let load = Arc::new(self);
        let client = |number: u32| {
            let load = Arc::clone(&load);
            thread::spawn(move || load.run(number as usize))
        };
        Running { clients: (0..load.clients).map(client).collect(), load }
    }

    fn add(&self, label: &str, message: Message, is_good: impl Fn(&Reply) -> bool + Send + Sync + 'static) {
        let question = Question { label: label.into(), message, is_good: Arc::new(is_good) };
        self.questions.write().unwrap_or_else(PoisonError::into_inner).push(question);
    }

    /// A client; the number is where in the list it begins.
    fn run(&self, number: usize) -> Tally {
        let mut stats = Tally::default();
        let mut connection = None;
        let mut due = Instant::now() + self.interval * number as u32 / self.clients;
        for turn in number.. {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if self.stopped.load(Ordering::SeqCst) {
                break;
            }
            let asked = Instant::now();
            due = asked + self.interval;
            let question = self.question(turn);
            let reply = question.put(&mut connection, self.port);
            let took = asked.elapsed();
            if reply.is_err() {
                thread::sleep(REST);
            }
            stats.keep(&question, reply, took);
        }
        stats
    }

    fn question(&self, turn: usize) -> Question {
        let questions = self.questions.read().unwrap_or_else(PoisonError::into_inner);
        questions[turn % questions.len()].clone()
    }
}

// === impl Running ===

impl Running {
    /// One more request to choose from, from now on.
    pub fn add(&self, label: &str, message: Message, is_good: impl Fn(&Reply) -> bool + Send + Sync + 'static) {
        self.load.add(label, message, is_good);
    }

    pub fn stop(mut self) -> Tally {
        self.load.stopped.store(true, Ordering::SeqCst);
        let tallies = self.clients.drain(..).map(|client| client.join().expect("a client without a panic"));
        tallies.fold(Tally::default(), Tally::plus)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.load.stopped.store(true, Ordering::SeqCst);
    }
}

// === impl Question ===

impl Question {
    fn put(&self, connection: &mut Option<Connection>, port: u16) -> io::Result<Reply> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(port)?,
        };
        let reply = open.send(&self.message)?;
        if reply.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
            *connection = Some(open);
        }
        Ok(reply)
    }
}

// === impl Tally ===

impl Tally {
    /// How often each status came back; a broken connection has none.
    pub fn statuses(&self, label: &str) -> BTreeMap<u16, usize> {
        self.statuses.get(label).cloned().unwrap_or_default()
    }

    /// Replies that were not good, and connections that broke.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Replies, good or not.
    pub fn answered(&self) -> usize {
        self.statuses.values().flat_map(BTreeMap::values).sum()
    }

    /// The first failures, in words.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// None when nothing came back.
    pub fn latency(&self, label: &str) -> Option<Latency> {
        let mut latencies = self.latencies.get(label)?.clone();
        latencies.sort();
        let rank = |percent: usize| latencies[(latencies.len() * percent).div_ceil(100) - 1];
        Some(Latency { least: latencies[0], median: rank(50), p99: rank(99), most: rank(100) })
    }

    fn keep(&mut self, question: &Question, reply: io::Result<Reply>, took: Duration) {
        let label = &question.label;
        if let Ok(reply) = &reply {
            *self.statuses.entry(label.clone()).or_default().entry(reply.status).or_default() += 1;
            self.latencies.entry(label.clone()).or_default().push(took);
        }
        let complaint = match reply {
            Ok(reply) if (question.is_good)(&reply) => return,
            Ok(reply) => format!("{label}: {} after {took:?}: {}", reply.status, reply.text()),
            Err(error) => format!("{label}: {error} after {took:?}"),
        };
        self.failed += 1;
        self.complaints.push(complaint);
        self.complaints.truncate(COMPLAINTS);
    }

    fn plus(mut self, other: Tally) -> Tally {
        for (label, statuses) in other.statuses {
            let sums = self.statuses.entry(label).or_default();
            statuses.into_iter().for_each(|(status, count)| *sums.entry(status).or_default() += count);
        }
        for (label, latencies) in other.latencies {
            self.latencies.entry(label).or_default().extend(latencies);
        }
        self.failed += other.failed;
        self.complaints.extend(other.complaints);
        self.complaints.truncate(COMPLAINTS);
        self
    }
}

// === impl Latency ===

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { least, median, p99, most } = self;
        write!(f, "{least:.1?} to {most:.1?}, median {median:.1?}, p99 {p99:.1?}")
    }
}
