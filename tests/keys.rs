//! The life of a remote key set, whatever happens in whatever order: several workers, one store, an issuer that answers
//! well, badly, late or never. Each property is a bug that others have had.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that breaks has failed")]

mod support;

use std::{cell::RefCell, collections::HashMap, time::Duration};

use claimgate::{
    oauth::{
        discovery::Discovery,
        fetch_error::FetchError,
        jwks_source::{JwksLocation, JwksSource},
        output::{Change, Output},
        remote_jwks::{Outlook, RemoteJwks},
    },
    outbound::{
        SourceIndex,
        call::{CallResult, Response},
        endpoint::Endpoint,
        refresh::RefreshPolicy,
        shared_store::{Cas, SharedStore},
    },
    time::UnixTime,
    waiting::{Waiter, Waiting},
};
use proptest::prelude::*;
use serde_json::json;
use support::keys;

const POLICY: RefreshPolicy = RefreshPolicy {
    timeout: Duration::from_secs(5),
    cache_duration: Duration::from_secs(300),
    cooldown: Duration::from_secs(10),
    stale_if_error: Duration::from_secs(3600),
};
const START: UnixTime = UnixTime::from_secs(1_767_225_600);
const SETS: [&str; 3] = ["@p256", "@p384 @p256", "@ed25519"];

/// Values with versions, as the proxy has them.
#[derive(Default)]
struct Shared(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl SharedStore for Shared {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Cas)> {
        self.0.borrow().get(name).map(|(value, version)| (value.clone(), Cas(*version)))
    }

    fn write(&self, name: &str, value: &[u8], over: Option<Cas>) -> bool {
        let mut values = self.0.borrow_mut();
        let version = values.get(name).map_or(0, |(_, version)| *version);
        if over.is_some_and(|over| over.0 != version) {
            return false;
        }
        values.insert(name.to_owned(), (value.to_vec(), version + 1));
        true
    }
}

fn source() -> JwksSource {
    let endpoint = Endpoint::parse("https://idp.example.com/keys", None).unwrap();
    JwksSource { name: "idp".into(), location: JwksLocation::Uri(endpoint), policy: POLICY }
}

fn discovered() -> JwksSource {
    let metadata = Endpoint::parse("https://idp.example.com/.well-known/openid-configuration", None).unwrap();
    let hosts = vec!["keys.example.com".into()];
    let discovery = Discovery { issuer: "https://idp.example.com".into(), metadata, hosts };
    JwksSource { name: "idp".into(), location: JwksLocation::Discovery(discovery), policy: POLICY }
}

fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> CallResult {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let body = body.into();
    CallResult::Response(Response { status, headers, size: body.len(), body })
}

fn good(set: usize) -> CallResult {
    answer(200, &[], keys::jwks(SETS[set]))
}

// === properties ===

#[derive(Clone, Debug)]
enum Op {
    Pass(Duration),
    Tick(usize),
    /// A token of this worker's names a key that it does not have.
    Miss(usize),
    Good(usize),
    Bad(usize),
    /// The worker is gone without a word, and another takes its place.
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
    store: Shared,
    workers: Vec<RemoteJwks>,
    /// When each worker's call was made.
    flights: Vec<Option<UnixTime>>,
    /// Whether somebody waits on a worker.
    waits: Vec<bool>,
    now: UnixTime,
    set: usize,
    fetches: usize,
    last_good: Option<UnixTime>,
    last_bad: Option<UnixTime>,
}

impl Proxy {
    fn new() -> Self {
        let mut workers: Vec<RemoteJwks> = (0..WORKERS).map(|_| RemoteJwks::new(source())).collect();
        let store = Shared::default();
        workers[0].sync(&store, START);
        Self {
            store,
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

    /// A worker reads its clock before it reads what others have written meanwhile, by clocks that are further on.
    fn time_of(&self, worker: usize) -> UnixTime {
        self.now.plus(SKEW * u32::try_from(worker).unwrap())
    }

    fn tick(&mut self, worker: usize) {
        let in_flight: Vec<UnixTime> = self.flights.iter().flatten().copied().collect();
        let now = self.time_of(worker);
        let output = self.workers[worker].poll(&self.store, now);
        if output.call.is_some() {
            self.fetches += 1;
            // Never two in flight: every other worker has been given up, and is ignored from now on.
            let lease = POLICY.timeout + Duration::from_secs(1) - SKEW * 2;
            assert!(in_flight.iter().all(|since| self.now.since(*since) >= lease), "two fetches at a time");
            // Nor too soon after the last.
            let after_good = self.last_good.map(|last| self.now.since(last));
            assert!(
                after_good.is_none_or(|span| self.last_bad.is_some() || span >= POLICY.cooldown - SKEW * 2),
                "{after_good:?}"
            );
            let after_bad = self.last_bad.map(|last| self.now.since(last));
            assert!(after_bad.is_none_or(|span| span >= Duration::from_millis(500) - SKEW * 2), "{after_bad:?}");
            self.flights[worker] = Some(self.now);
        }
        self.follow(worker, &output);
    }

    /// Whether the answer counted.
    fn answer(&mut self, worker: usize, answer: CallResult) -> bool {
        self.flights[worker] = None;
        let now = self.time_of(worker);
        let output = self.workers[worker].deliver(answer, &self.store, now);
        self.follow(worker, &output);
        output.report.is_some()
    }

    fn follow(&mut self, worker: usize, output: &Output) {
        self.waits[worker] &= !output.is_ended;
    }

    /// A late worker takes what the others have, and fetches nothing for it.
    fn replace(&mut self, worker: usize) {
        self.workers[worker] = RemoteJwks::new(source());
        self.waits[worker] = false;
        self.workers[worker].sync(&self.store, self.now);
        // The call of the one before is nobody's; its lease goes on.
        if let Some(since) = self.flights[worker].take() {
            let gone = since.plus(POLICY.timeout + Duration::from_secs(1));
            self.now = if gone > self.now { gone } else { self.now };
        }
    }

    /// Keys once had are kept up to the hard limit, whatever failed since.
    fn has_what_it_had(&self) {
        if let Some(last) = self.last_good {
            let mut late = RemoteJwks::new(source());
            late.sync(&self.store, self.now);
            let (age, slack) = (self.now.since(last), SKEW * 2);
            assert!(late.current(self.now).is_some() || age + slack >= POLICY.stale_if_error, "{age:?}");
            let is_within = age < POLICY.stale_if_error + slack;
            assert!(late.current(self.now).is_none() || is_within, "{age:?}");
            assert!(is_within || self.workers.iter().all(|worker| worker.current(self.now).is_none()));
        }
    }

    /// Somebody who waits is let go within a lease and two ticks, whether there is an answer or not.
    fn settle(&mut self) {
        for _ in 0..2 {
            (0..WORKERS).for_each(|worker| self.tick(worker));
            self.now = self.now.plus(POLICY.timeout + Duration::from_secs(1));
            self.flights = vec![None; WORKERS];
        }
        (0..WORKERS).for_each(|worker| self.tick(worker));
        assert_eq!(self.waits, vec![false; WORKERS], "somebody waits for ever");
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

    /// However many keys nobody knows, and on whatever worker: one fetch in a cooldown.
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
        let cooldowns = proxy.now.since(began).as_millis() / POLICY.cooldown.as_millis();
        prop_assert!(proxy.fetches <= usize::try_from(cooldowns).unwrap() + 1, "{} in {cooldowns}", proxy.fetches);
    }

    /// Each request that waits is let go once, unless it goes away itself.
    #[test]
    fn who_waits_is_let_go_once(ops in proptest::collection::vec((0_u8..4, 0_usize..3, 0_u64..50), 1..200)) {
        let mut waiting = Waiting::new(5);
        let (mut now, mut next, mut inside) = (START, 0_u32, Vec::new());
        for (op, source, span) in ops {
            let mut released = Vec::new();
            match op {
                0 => {
                    let until = now.plus(Duration::from_secs(span));
                    let waiter = Waiter { id: next, source: SourceIndex(source), until, request: next };
                    match waiting.enter(waiter) {
                        Ok(()) => inside.push(next),
                        Err(request) => prop_assert!(request == next && inside.len() == 5),
                    }
                    next += 1;
                }
                1 => released = waiting.answered(SourceIndex(source)),
                2 => {
                    now = now.plus(Duration::from_secs(span));
                    released = waiting.expired(now);
                    prop_assert!(released.iter().all(|waiter| waiter.until <= now));
                }
                _ => {
                    let id = u32::try_from(span).unwrap();
                    waiting.leave(id);
                    inside.retain(|other| *other != id);
                }
            }
            for waiter in released {
                let place = inside.iter().position(|id| *id == waiter.id);
                prop_assert!(place.is_some(), "{waiter:?} is let go twice");
                inside.remove(place.unwrap());
            }
            prop_assert_eq!(waiting.len(), inside.len());
            prop_assert!(inside.iter().all(|id| waiting.holds(*id)));
        }
    }
}

// === single lives ===

/// One worker whose issuer answers so.
fn fetch(remote: &mut RemoteJwks, store: &Shared, now: UnixTime, answers: Vec<CallResult>) -> Output {
    let mut output = remote.poll(store, now);
    for answer in answers {
        assert!(output.call.is_some(), "no call to answer");
        output = remote.deliver(answer, store, now);
    }
    output
}

fn failure(output: &Output) -> Option<String> {
    let error: Option<FetchError> = output.report.as_ref().and_then(|report| report.outcome.as_ref().err().copied());
    error.map(|error| error.class().into_owned())
}

#[test]
fn every_failure_has_its_class_and_keeps_the_keys() {
    let html = || answer(200, &[("content-type", "text/html")], "<html>");
    let large = CallResult::Response(Response { status: 200, headers: vec![], size: 10 << 20, body: vec![] });
    let weak = r#"{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}"#;
    for (bad, class) in [
        (CallResult::NoCluster, "cluster_not_found"),
        (CallResult::Broken, "connect"),
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
        let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
        assert_eq!(failure(&fetch(&mut remote, &store, START, vec![bad.clone()])).as_deref(), Some(class));
        assert!(remote.current(START).is_none(), "{class}: no fallback key");
        assert_eq!(remote.ask_for_newer(START), Outlook::Unavailable, "{class}");

        let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
        assert_eq!(failure(&fetch(&mut remote, &store, START, vec![good(0)])), None);
        let later = START.plus(POLICY.cache_duration);
        let bad = if class == "status_304" { answer(500, &[], "") } else { bad };
        assert!(failure(&fetch(&mut remote, &store, later, vec![bad])).is_some(), "{class}");
        assert!(remote.current(later).is_some_and(|set| set.names("p256")), "{class}: the keys are lost");
        assert_eq!(remote.ask_for_newer(later), Outlook::Unavailable, "{class}");
    }
}

#[test]
fn a_call_that_takes_all_its_time_has_timed_out() {
    for (bad, class) in [(CallResult::Broken, "timeout"), (answer(504, &[], "upstream request timeout"), "timeout")] {
        let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
        assert!(remote.poll(&store, START).call.is_some());
        let output = remote.deliver(bad, &store, START.plus(POLICY.timeout));
        assert_eq!(failure(&output).as_deref(), Some(class));
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
        let (store, mut remote) = (Shared::default(), RemoteJwks::new(discovered()));
        let output = fetch(&mut remote, &store, START, vec![metadata(issuer, keys)]);
        let call = output.call.as_ref().map(|call| {
            let authority = call.headers.iter().find(|(name, _)| *name == ":authority").unwrap();
            (call.cluster.as_str(), authority.1.as_str())
        });
        assert_eq!(call, place, "{keys}");
        assert_eq!(failure(&output).as_deref(), place.is_none().then_some("host_not_allowed"), "{keys}");
    }
    for other in ["https://idp.example.com/", "https://evil.example", ""] {
        let (store, mut remote) = (Shared::default(), RemoteJwks::new(discovered()));
        let output = fetch(&mut remote, &store, START, vec![metadata(other, "https://idp.example.com/keys")]);
        assert_eq!(failure(&output).as_deref(), Some("issuer_mismatch"), "{other}");
    }
}

#[test]
fn metadata_are_asked_for_again_after_an_hour_or_a_failure() {
    let metadata = || {
        let body = json!({"issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/keys"});
        answer(200, &[], body.to_string())
    };
    let path = |output: &Output| output.call.as_ref().map(|call| call.headers[3].1.clone());
    let (store, mut remote) = (Shared::default(), RemoteJwks::new(discovered()));
    fetch(&mut remote, &store, START, vec![metadata(), good(0)]);
    let mut now = START.plus(POLICY.cache_duration);
    assert_eq!(path(&remote.poll(&store, now)).as_deref(), Some("/keys"));
    assert!(failure(&remote.deliver(answer(404, &[], ""), &store, now)).is_some());
    now = now.plus(Duration::from_secs(2));
    assert_eq!(path(&remote.poll(&store, now)).as_deref(), Some("/.well-known/openid-configuration"));
    remote.deliver(metadata(), &store, now);
    remote.deliver(good(0), &store, now);
    now = now.plus(Duration::from_secs(3600));
    assert_eq!(path(&remote.poll(&store, now)).as_deref(), Some("/.well-known/openid-configuration"));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
    let tagged =
        answer(200, &[("etag", "\"1\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], keys::jwks("@p256"));
    fetch(&mut remote, &store, START, vec![tagged]);
    // Another worker asks in the same words.
    let mut other = RemoteJwks::new(source());
    other.sync(&store, START);
    let later = START.plus(POLICY.cache_duration);
    let call = other.poll(&store, later).call.unwrap();
    assert!(call.headers.contains(&("if-none-match", "\"1\"".into())), "{call:?}");
    assert!(call.headers.contains(&("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT".into())), "{call:?}");
    let output = other.deliver(answer(304, &[], ""), &store, later);
    assert!(matches!(output.report.unwrap().outcome, Ok(Change::Unchanged)));
    assert!(output.gone.is_empty());
    // It counts as a good answer.
    let far = later.plus(POLICY.stale_if_error - Duration::from_secs(1));
    assert!(other.current(far).is_some());
    assert!(other.current(far.plus(Duration::from_secs(1))).is_none());
}

#[test]
fn keys_that_stay_are_the_same_and_those_that_go_are_told() {
    let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
    fetch(&mut remote, &store, START, vec![answer(200, &[], keys::jwks("@p256 @p384"))]);
    let later = START.plus(POLICY.cache_duration);
    let output = fetch(&mut remote, &store, later, vec![answer(200, &[], keys::jwks("@p384 @ed25519"))]);
    assert_eq!(output.gone.iter().map(|key| key.kid()).collect::<Vec<_>>(), [Some("p256")]);
    // Beyond the hard limit all of them go.
    let output = remote.poll(&store, later.plus(POLICY.stale_if_error));
    assert_eq!(output.gone.len(), 2);
}

#[test]
fn a_key_that_cannot_be_used_is_not_asked_for_again() {
    let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
    let output = fetch(&mut remote, &store, START, vec![answer(200, &[], keys::jwks("@p256 @rsa:n=AQAB"))]);
    assert!(matches!(output.report.unwrap().outcome, Ok(Change::Updated(1, skipped)) if skipped.len() == 1));
    assert!(remote.current(START).unwrap().names("rsa"));
}

#[test]
fn pauses_grow_and_stay_short_without_keys() {
    for (has_keys, longest) in [(true, 60), (false, 10)] {
        let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
        let mut now = START;
        if has_keys {
            fetch(&mut remote, &store, now, vec![good(0)]);
            now = now.plus(POLICY.cache_duration);
        }
        let mut pauses = Vec::new();
        for number in 0..12_u64 {
            assert!(failure(&fetch(&mut remote, &store, now, vec![answer(500, &[], "")])).is_some());
            let pause = remote.next_in(now);
            assert_eq!(remote.poll(&store, now.plus(pause - Duration::from_millis(1))).call, None);
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
    let (store, mut remote) = (Shared::default(), RemoteJwks::new(source()));
    fetch(&mut remote, &store, START, vec![good(0)]);
    assert!(remote.poll(&store, UnixTime::from_secs(1_000)).call.is_some());
}

#[test]
fn a_record_of_another_form_is_begun_anew() {
    let store = Shared::default();
    let mut remote = RemoteJwks::new(source());
    fetch(&mut remote, &store, START, vec![good(0)]);
    let name = store.0.borrow().keys().next().unwrap().clone();
    for odd in [&b""[..], b"\n", b"{}\n{}", b"\xff\xff", b"null\n"] {
        store.0.borrow_mut().get_mut(&name).unwrap().0 = odd.to_vec();
        let mut late = RemoteJwks::new(source());
        assert!(late.poll(&store, START).call.is_some(), "{odd:?}");
        late.deliver(good(1), &store, START);
        assert!(late.current(START).is_some());
    }
}

#[test]
fn sources_that_say_the_same_share_and_others_do_not() {
    let other = |change: &dyn Fn(&mut JwksSource)| {
        let mut source = source();
        change(&mut source);
        source.fingerprint()
    };
    let same = source().fingerprint();
    assert_eq!(other(&|source| source.name = "another".into()), same);
    assert_ne!(other(&|source| source.policy.timeout += Duration::from_secs(1)), same);
    assert_ne!(other(&|source| source.location = discovered().location), same);
    let elsewhere = Endpoint::parse("https://idp.example.com/keys2", None).unwrap();
    assert_ne!(other(&|source| source.location = JwksLocation::Uri(elsewhere.clone())), same);
}
