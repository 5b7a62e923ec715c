//! A remote key set under random events in random order: several workers, shared data, an issuer that answers well, badly,
//! late or never. Each property is a bug that other filters have (see the table in SECURITY.md).
#![cfg(test)]

use std::{cell::RefCell, collections::HashMap, time::Duration};

use claimgate::{
    keys::{
        fetch::{Answer, FetchError, Response},
        keyring::{Keyring, Outlook},
        ledger::{Ledger, Version},
        source::{Discovery, Endpoint, Place, Source, Terms},
        turn::{Brought, Turn},
    },
    time::UnixTime,
};
use claimgate_testing::keys;
use proptest::prelude::*;
use serde_json::json;

const TERMS: Terms = Terms {
    timeout: Duration::from_secs(5),
    cache_duration: Duration::from_secs(300),
    cooldown: Duration::from_secs(10),
    stale_if_error: Duration::from_secs(3600),
};
const START: UnixTime = UnixTime::from_secs(1_767_225_600);
const SETS: [&str; 3] = ["@p256", "@p384 @p256", "@ed25519"];

/// Values with versions, like the proxy's shared data.
#[derive(Default)]
struct Shared(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl Ledger for Shared {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Version)> {
        self.0.borrow().get(name).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn write(&self, name: &str, value: &[u8], over: Option<Version>) -> bool {
        let mut values = self.0.borrow_mut();
        let version = values.get(name).map_or(0, |(_, version)| *version);
        if over.is_some_and(|over| over.0 != version) {
            return false;
        }
        values.insert(name.to_owned(), (value.to_vec(), version + 1));
        true
    }
}

fn source() -> Source {
    let endpoint = Endpoint::parse("https://idp.example.com/keys", None).unwrap();
    Source { name: "idp".into(), place: Place::Uri(endpoint), terms: TERMS }
}

fn discovered() -> Source {
    let metadata = Endpoint::parse("https://idp.example.com/.well-known/openid-configuration", None).unwrap();
    let hosts = vec!["keys.example.com".into()];
    let discovery = Discovery { issuer: "https://idp.example.com".into(), metadata, hosts };
    Source { name: "idp".into(), place: Place::Discovery(discovery), terms: TERMS }
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let body = body.into();
    Answer::Response(Response { status, headers, size: body.len(), body })
}

fn good(set: usize) -> Answer {
    answer(200, &[], keys::jwks(SETS[set]))
}

// === properties ===

#[derive(Clone, Debug)]
enum Op {
    Pass(Duration),
    Tick(usize),
    /// A token on this worker names a key that is not in its set.
    Miss(usize),
    Good(usize),
    Bad(usize),
    /// The worker disappears, and another one replaces it.
    Crash(usize),
    /// The issuer changes its keys.
    Rotate(usize),
}

const WORKERS: usize = 3;
const SKEW: Duration = Duration::from_millis(7);

fn op() -> impl Strategy<Value = Op> {
    let worker = 0..WORKERS;
    prop_oneof![
        4 => (0_u64..3_000).prop_map(|ms| Op::Pass(Duration::from_millis(ms))),
        1 => (0_u64..400_000).prop_map(|ms| Op::Pass(Duration::from_millis(ms))),
        6 => worker.clone().prop_map(Op::Tick),
        3 => worker.clone().prop_map(Op::Miss),
        4 => worker.clone().prop_map(Op::Good),
        3 => worker.clone().prop_map(Op::Bad),
        1 => worker.prop_map(Op::Crash),
        1 => (0..SETS.len()).prop_map(Op::Rotate),
    ]
}

struct Proxy {
    ledger: Shared,
    workers: Vec<Keyring>,
    /// When each worker's call was made.
    flights: Vec<Option<UnixTime>>,
    /// Whether a request waits on a worker.
    waits: Vec<bool>,
    now: UnixTime,
    set: usize,
    fetches: usize,
    last_good: Option<UnixTime>,
    last_bad: Option<UnixTime>,
}

impl Proxy {
    fn new() -> Self {
        let mut workers: Vec<Keyring> = (0..WORKERS).map(|_| Keyring::new(source())).collect();
        let ledger = Shared::default();
        workers[0].look(&ledger, START);
        Self {
            ledger,
            workers,
            flights: vec![None; WORKERS],
            waits: vec![false; WORKERS],
            now: START,
            set: 0,
            fetches: 0,
            last_good: None,
            last_bad: None,
        }
    }

    fn run(&mut self, op: &Op) {
        match *op {
            Op::Pass(span) => self.now = self.now.plus(span),
            Op::Tick(worker) => self.tick(worker),
            Op::Miss(worker) => {
                let now = self.time_of(worker);
                self.waits[worker] |= self.workers[worker].ask_for_newer(now) == Outlook::Wait;
            }
            Op::Good(worker) => {
                if self.flights[worker].is_some() && self.answer(worker, good(self.set)) {
                    (self.last_good, self.last_bad) = (Some(self.now), None);
                }
            }
            Op::Bad(worker) => {
                if self.flights[worker].is_some() && self.answer(worker, answer(500, &[], "")) {
                    self.last_bad = Some(self.now);
                }
            }
            Op::Crash(worker) => self.replace(worker),
            Op::Rotate(set) => self.set = set,
        }
        self.has_what_it_had();
    }

    /// A worker reads its clock before it reads what others wrote in the meantime with a later clock.
    fn time_of(&self, worker: usize) -> UnixTime {
        self.now.plus(SKEW * u32::try_from(worker).unwrap())
    }

    fn tick(&mut self, worker: usize) {
        let in_flight: Vec<UnixTime> = self.flights.iter().flatten().copied().collect();
        let now = self.time_of(worker);
        let turn = self.workers[worker].turn(&self.ledger, now);
        if turn.call.is_some() {
            self.fetches += 1;
            // Never two fetches in flight: the lease of every other worker has expired, and its answer is ignored.
            let lease = TERMS.timeout + Duration::from_secs(1) - SKEW * 2;
            assert!(in_flight.iter().all(|since| self.now.since(*since) >= lease), "two fetches at a time");
            // And none too soon after the last one.
            let after_good = self.last_good.map(|last| self.now.since(last));
            assert!(
                after_good.is_none_or(|span| self.last_bad.is_some() || span >= TERMS.cooldown - SKEW * 2),
                "{after_good:?}"
            );
            let after_bad = self.last_bad.map(|last| self.now.since(last));
            assert!(after_bad.is_none_or(|span| span >= Duration::from_millis(500) - SKEW * 2), "{after_bad:?}");
            self.flights[worker] = Some(self.now);
        }
        self.follow(worker, &turn);
    }

    /// Whether the answer counted.
    fn answer(&mut self, worker: usize, answer: Answer) -> bool {
        self.flights[worker] = None;
        let now = self.time_of(worker);
        let turn = self.workers[worker].deliver(answer, &self.ledger, now);
        self.follow(worker, &turn);
        turn.report.is_some()
    }

    fn follow(&mut self, worker: usize, turn: &Turn) {
        self.waits[worker] &= !turn.is_ended;
    }

    /// A worker that starts late takes the set of the others, and does not fetch.
    fn replace(&mut self, worker: usize) {
        self.workers[worker] = Keyring::new(source());
        self.waits[worker] = false;
        self.workers[worker].look(&self.ledger, self.now);
        // The call of the previous worker has no owner; its lease stays.
        if let Some(since) = self.flights[worker].take() {
            let gone = since.plus(TERMS.timeout + Duration::from_secs(1));
            self.now = if gone > self.now { gone } else { self.now };
        }
    }

    /// Keys are kept up to the hard limit, whatever has failed since.
    fn has_what_it_had(&self) {
        if let Some(last) = self.last_good {
            let mut late = Keyring::new(source());
            late.look(&self.ledger, self.now);
            let (age, slack) = (self.now.since(last), SKEW * 2);
            assert!(late.current(self.now).is_some() || age + slack >= TERMS.stale_if_error, "{age:?}");
            let is_within = age < TERMS.stale_if_error + slack;
            assert!(late.current(self.now).is_none() || is_within, "{age:?}");
            assert!(is_within || self.workers.iter().all(|worker| worker.current(self.now).is_none()));
        }
    }

    /// A waiting request is released within a lease and two ticks, with or without an answer.
    fn settle(&mut self) {
        for _ in 0..2 {
            (0..WORKERS).for_each(|worker| self.tick(worker));
            self.now = self.now.plus(TERMS.timeout + Duration::from_secs(1));
            self.flights = vec![None; WORKERS];
        }
        (0..WORKERS).for_each(|worker| self.tick(worker));
        assert_eq!(self.waits, vec![false; WORKERS], "a request waits forever");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(ops in proptest::collection::vec(op(), 1..120)) {
        let mut proxy = Proxy::new();
        ops.iter().for_each(|op| proxy.run(op));
        proxy.settle();
    }

    /// However many unknown keys, on whatever worker: one fetch in a cooldown.
    #[test]
    fn unknown_keys_cause_one_fetch_in_a_cooldown(misses in proptest::collection::vec((0..WORKERS, 0_u64..100), 1..300)) {
        let mut proxy = Proxy::new();
        proxy.run(&Op::Tick(0));
        proxy.run(&Op::Good(0));
        proxy.fetches = 0;
        let began = proxy.now;
        for (worker, milliseconds) in misses {
            for op in [Op::Miss(worker), Op::Tick(worker), Op::Good(worker), Op::Pass(Duration::from_millis(milliseconds))] {
                proxy.run(&op);
            }
        }
        let cooldowns = proxy.now.since(began).as_millis() / TERMS.cooldown.as_millis();
        prop_assert!(proxy.fetches <= usize::try_from(cooldowns).unwrap() + 1, "{} in {cooldowns}", proxy.fetches);
    }
}

// === single workers ===

/// One worker whose issuer gives these answers.
fn fetch(ring: &mut Keyring, ledger: &Shared, now: UnixTime, answers: Vec<Answer>) -> Turn {
    let mut turn = ring.turn(ledger, now);
    for answer in answers {
        assert!(turn.call.is_some(), "no call to answer");
        turn = ring.deliver(answer, ledger, now);
    }
    turn
}

fn failure(turn: &Turn) -> Option<String> {
    let error: Option<FetchError> = turn.report.as_ref().and_then(|report| report.outcome.as_ref().err().copied());
    error.map(|error| error.class().into_owned())
}

#[test]
fn every_failure_has_its_class_and_keeps_the_keys() {
    let html = || answer(200, &[("content-type", "text/html")], "<html>");
    let large = Answer::Response(Response { status: 200, headers: vec![], size: 10 << 20, body: vec![] });
    let weak = r#"{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}"#;
    for (bad, class) in [
        (Answer::NoCluster, "cluster_not_found"),
        (Answer::Broken, "connect"),
        (answer(503, &[], "no healthy upstream"), "connect"),
        (answer(503, &[], "upstream connect error or disconnect/reset before headers."), "connect"),
        (answer(503, &[], "closed for lunch"), "status_503"),
        (answer(504, &[], "upstream request timeout"), "status_504"),
        (answer(404, &[], ""), "status_404"),
        (answer(302, &[("location", "/")], ""), "status_302"),
        (answer(304, &[], ""), "status_304"),
        (large, "too_large"),
        (html(), "not_json"),
        (answer(200, &[], "{}"), "not_json"),
        (answer(200, &[], "[]"), "not_json"),
        (answer(200, &[], r#"{"keys": []}"#), "no_usable_key"),
        (answer(200, &[], weak), "no_usable_key"),
    ] {
        let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
        assert_eq!(failure(&fetch(&mut ring, &ledger, START, vec![bad.clone()])).as_deref(), Some(class));
        assert!(ring.current(START).is_none(), "{class}: no fallback key");
        assert_eq!(ring.ask_for_newer(START), Outlook::Unavailable, "{class}");

        let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
        assert_eq!(failure(&fetch(&mut ring, &ledger, START, vec![good(0)])), None);
        let later = START.plus(TERMS.cache_duration);
        let bad = if class == "status_304" { answer(500, &[], "") } else { bad };
        assert!(failure(&fetch(&mut ring, &ledger, later, vec![bad])).is_some(), "{class}");
        assert!(ring.current(later).is_some_and(|set| set.names("p256")), "{class}: the keys are lost");
        assert_eq!(ring.ask_for_newer(later), Outlook::Unavailable, "{class}");
    }
}

#[test]
fn a_call_that_takes_all_its_time_has_timed_out() {
    for (bad, class) in [(Answer::Broken, "timeout"), (answer(504, &[], "upstream request timeout"), "timeout")] {
        let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
        assert!(ring.turn(&ledger, START).call.is_some());
        let turn = ring.deliver(bad, &ledger, START.plus(TERMS.timeout));
        assert_eq!(failure(&turn).as_deref(), Some(class));
    }
}

#[test]
fn metadata_lead_only_where_they_may() {
    let metadata = |issuer: &str, keys: &str| answer(200, &[], json!({"issuer": issuer, "jwks_uri": keys}).to_string());
    let issuer = "https://idp.example.com";
    for (keys, place) in [
        ("https://idp.example.com/keys", Some(("outbound|443||idp.example.com", "idp.example.com"))),
        ("https://IDP.example.com:443/keys", Some(("outbound|443||idp.example.com", "idp.example.com"))),
        ("https://keys.example.com/keys", Some(("outbound|443||keys.example.com", "keys.example.com"))),
        ("https://idp.example.com:8443/keys", None),
        ("http://idp.example.com/keys", None),
        ("https://idp.example.com.evil.example/keys", None),
        ("https://169.254.169.254/latest", None),
        ("/keys", None),
        ("", None),
    ] {
        let (ledger, mut ring) = (Shared::default(), Keyring::new(discovered()));
        let turn = fetch(&mut ring, &ledger, START, vec![metadata(issuer, keys)]);
        let call = turn.call.as_ref().map(|call| {
            let authority = call.headers.iter().find(|(name, _)| *name == ":authority").unwrap();
            (call.cluster.as_str(), authority.1.as_str())
        });
        assert_eq!(call, place, "{keys}");
        assert_eq!(failure(&turn).as_deref(), place.is_none().then_some("host_not_allowed"), "{keys}");
    }
    for other in ["https://idp.example.com/", "https://evil.example", ""] {
        let (ledger, mut ring) = (Shared::default(), Keyring::new(discovered()));
        let turn = fetch(&mut ring, &ledger, START, vec![metadata(other, "https://idp.example.com/keys")]);
        assert_eq!(failure(&turn).as_deref(), Some("issuer_mismatch"), "{other}");
    }
}

#[test]
fn metadata_are_asked_for_again_after_an_hour_or_a_failure() {
    let metadata = || {
        let body = json!({"issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/keys"});
        answer(200, &[], body.to_string())
    };
    let path = |turn: &Turn| turn.call.as_ref().map(|call| call.headers[3].1.clone());
    let (ledger, mut ring) = (Shared::default(), Keyring::new(discovered()));
    fetch(&mut ring, &ledger, START, vec![metadata(), good(0)]);
    let mut now = START.plus(TERMS.cache_duration);
    assert_eq!(path(&ring.turn(&ledger, now)).as_deref(), Some("/keys"));
    assert!(failure(&ring.deliver(answer(404, &[], ""), &ledger, now)).is_some());
    now = now.plus(Duration::from_secs(2));
    assert_eq!(path(&ring.turn(&ledger, now)).as_deref(), Some("/.well-known/openid-configuration"));
    ring.deliver(metadata(), &ledger, now);
    ring.deliver(good(0), &ledger, now);
    now = now.plus(Duration::from_secs(3600));
    assert_eq!(path(&ring.turn(&ledger, now)).as_deref(), Some("/.well-known/openid-configuration"));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
    let tagged =
        answer(200, &[("etag", "\"1\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], keys::jwks("@p256"));
    fetch(&mut ring, &ledger, START, vec![tagged]);
    // Another worker sends the same validators.
    let mut other = Keyring::new(source());
    other.look(&ledger, START);
    let later = START.plus(TERMS.cache_duration);
    let call = other.turn(&ledger, later).call.unwrap();
    assert!(call.headers.contains(&("if-none-match", "\"1\"".into())), "{call:?}");
    assert!(call.headers.contains(&("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT".into())), "{call:?}");
    let turn = other.deliver(answer(304, &[], ""), &ledger, later);
    assert!(matches!(turn.report.unwrap().outcome, Ok(Brought::Same)));
    assert!(turn.gone.is_empty());
    // It counts as a success.
    let far = later.plus(TERMS.stale_if_error - Duration::from_secs(1));
    assert!(other.current(far).is_some());
    assert!(other.current(far.plus(Duration::from_secs(1))).is_none());
}

#[test]
fn keys_that_stay_are_the_same_and_those_that_go_are_told() {
    let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
    fetch(&mut ring, &ledger, START, vec![answer(200, &[], keys::jwks("@p256 @p384"))]);
    let later = START.plus(TERMS.cache_duration);
    let turn = fetch(&mut ring, &ledger, later, vec![answer(200, &[], keys::jwks("@p384 @ed25519"))]);
    assert_eq!(turn.gone.iter().map(|key| key.kid()).collect::<Vec<_>>(), [Some("p256")]);
    // After the hard limit all keys are dropped.
    let turn = ring.turn(&ledger, later.plus(TERMS.stale_if_error));
    assert_eq!(turn.gone.len(), 2);
}

#[test]
fn a_key_that_cannot_be_used_is_not_asked_for_again() {
    let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
    let turn = fetch(&mut ring, &ledger, START, vec![answer(200, &[], keys::jwks("@p256 @rsa:n=AQAB"))]);
    assert!(matches!(turn.report.unwrap().outcome, Ok(Brought::New(1, skipped)) if skipped.len() == 1));
    assert!(ring.current(START).unwrap().names("rsa"));
}

#[test]
fn pauses_grow_and_stay_short_without_keys() {
    for (has_keys, longest) in [(true, 60), (false, 10)] {
        let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
        let mut now = START;
        if has_keys {
            fetch(&mut ring, &ledger, now, vec![good(0)]);
            now = now.plus(TERMS.cache_duration);
        }
        let mut pauses = Vec::new();
        for number in 0..12_u64 {
            assert!(failure(&fetch(&mut ring, &ledger, now, vec![answer(500, &[], "")])).is_some());
            let pause = ring.next_in(now);
            assert_eq!(ring.turn(&ledger, now.plus(pause - Duration::from_millis(1))).call, None);
            pauses.push(pause);
            now = now.plus(pause + Duration::from_micros(number * 77));
        }
        let nominal = |number: u32| Duration::from_secs(2_u64.pow(number).min(longest));
        for (number, pause) in (0..).zip(&pauses) {
            let slack = Duration::from_millis(20);
            assert!(*pause <= nominal(number) + slack && *pause + slack >= nominal(number) / 2, "{pauses:?}");
        }
    }
}

#[test]
fn a_clock_put_back_does_not_stop_the_fetching() {
    let (ledger, mut ring) = (Shared::default(), Keyring::new(source()));
    fetch(&mut ring, &ledger, START, vec![good(0)]);
    assert!(ring.turn(&ledger, UnixTime::from_secs(1_000)).call.is_some());
}

#[test]
fn a_record_of_another_form_is_begun_anew() {
    let ledger = Shared::default();
    let mut ring = Keyring::new(source());
    fetch(&mut ring, &ledger, START, vec![good(0)]);
    let name = ledger.0.borrow().keys().next().unwrap().clone();
    for odd in [&b""[..], b"\n", b"{}\n{}", b"\xff\xff", b"null\n"] {
        ledger.0.borrow_mut().get_mut(&name).unwrap().0 = odd.to_vec();
        let mut late = Keyring::new(source());
        assert!(late.turn(&ledger, START).call.is_some(), "{odd:?}");
        late.deliver(good(1), &ledger, START);
        assert!(late.current(START).is_some());
    }
}

#[test]
fn sources_that_say_the_same_share_and_others_do_not() {
    let other = |change: &dyn Fn(&mut Source)| {
        let mut source = source();
        change(&mut source);
        source.fingerprint()
    };
    let same = source().fingerprint();
    assert_eq!(other(&|source| source.name = "another".into()), same);
    assert_ne!(other(&|source| source.terms.timeout += Duration::from_secs(1)), same);
    assert_ne!(other(&|source| source.place = discovered().place), same);
    let elsewhere = Endpoint::parse("https://idp.example.com/keys2", None).unwrap();
    assert_ne!(other(&|source| source.place = Place::Uri(elsewhere.clone())), same);
}
