//! A remote key set under random events in random order: several workers, shared data, an issuer that answers well, badly,
//! late or never. Each property is a bug that other filters have (see the table in SECURITY.md).
#![cfg(test)]

use std::{cell::RefCell, collections::HashMap, time::Duration};

use claimgate::{
    jose::algorithm::Algorithm,
    keys::KeySet,
    oauth::{
        discovery::Discovery,
        fetch_error::FetchError,
        jwks_cache::JwksCache,
        jwks_source::{JwksLocation, JwksSource},
        output::Output,
        remote_jwks::RemoteJwks,
        report::{Change, Level},
    },
    outbound::{
        SourceIndex,
        call::{CallResult, Response},
        endpoint::Endpoint,
        refresh::RefreshPolicy,
        shared_store::{Cas, CasMismatch, SharedStore},
    },
    stop::Stop,
    time::UnixTime,
};
use claimgate_testing::keys;
use proptest::prelude::*;
use serde_json::json;

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
    fn get(&self, name: &str) -> Option<(Vec<u8>, Cas)> {
        self.0.borrow().get(name).map(|(value, version)| (value.clone(), Cas(*version)))
    }

    fn set(&self, name: &str, value: &[u8], cas: Option<Cas>) -> Result<(), CasMismatch> {
        let mut values = self.0.borrow_mut();
        let version = values.get(name).map_or(0, |(_, version)| *version);
        if cas.is_some_and(|cas| cas.0 != version) {
            return Err(CasMismatch);
        }
        values.insert(name.to_owned(), (value.to_vec(), version + 1));
        Ok(())
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
    /// The VM is gone without a word, and another takes its place.
    Crash(usize),
    /// Another configuration of the same VM takes over.
    Reconfigure(usize),
    /// The issuer changes its keys.
    Rotate(usize),
    /// Something else in the proxy writes the shared record.
    Write(Forged),
}

/// A record that claimgate did not write, its times relative to now.
#[derive(Clone, Debug)]
enum Forged {
    Bytes(Vec<u8>),
    State { ended: u64, failures: u32, cached: Option<(usize, i64)>, is_fetching: bool, times: (i64, i64) },
}

const WORKERS: usize = 3;
const SKEW: Duration = Duration::from_millis(7);
/// The last digest is of no set there is.
const DIGESTS: usize = SETS.len() + 1;

fn op() -> impl Strategy<Value = Op> {
    let worker = 0..WORKERS;
    prop_oneof![
        4 => (0_u64..3_000).prop_map(|ms| Op::Pass(Duration::from_millis(ms))),
        1 => (0_u64..400_000).prop_map(|ms| Op::Pass(Duration::from_millis(ms))),
        6 => worker.clone().prop_map(Op::Tick),
        3 => worker.clone().prop_map(Op::Miss),
        4 => worker.clone().prop_map(Op::Good),
        3 => worker.clone().prop_map(Op::Bad),
        1 => worker.clone().prop_map(Op::Crash),
        1 => worker.prop_map(Op::Reconfigure),
        1 => (0..SETS.len()).prop_map(Op::Rotate),
    ]
}

fn forged() -> impl Strategy<Value = Forged> {
    let number = prop_oneof![Just(0), Just(1), Just(u64::MAX), any::<u64>()];
    let time = || prop_oneof![-100_i64..100, -1_000_000_i64..1_000_000, Just(1_i64 << 60)];
    let cached = proptest::option::of((0..DIGESTS, time()));
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Forged::Bytes),
        (number, any::<u32>(), cached, any::<bool>(), (time(), time())).prop_map(
            |(ended, failures, cached, is_fetching, times)| Forged::State {
                ended,
                failures,
                cached,
                is_fetching,
                times
            }
        ),
    ]
}

impl Forged {
    fn record(&self, now: UnixTime) -> Vec<u8> {
        let now = i64::try_from(now.since(UnixTime::from_secs(0)).as_micros()).unwrap();
        let time = |offset: i64| now.saturating_add(offset.saturating_mul(1_000_000)).max(0);
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::State { ended, failures, cached, is_fetching, times } => {
                let cached = cached.map_or("-".into(), |(set, offset)| format!("{} {}", digest(set), time(offset)));
                let phase = match is_fetching {
                    true => format!("fetching {}", time(times.0)),
                    false => format!("resting {} {}", time(times.0), time(times.1)),
                };
                format!("{ended} {failures} {cached} {phase}").into_bytes()
            }
        }
    }
}

fn digest(set: usize) -> String {
    let text = SETS.get(set).map(|set| keys::jwks(set));
    text.map_or("0a".repeat(32), |text| KeySet::parse(text.as_bytes(), Algorithm::ASYMMETRIC).0.unwrap().digest())
}

/// One VM of the proxy, and what was given to it.
struct Vm {
    cache: JwksCache,
    remote: RemoteJwks,
    /// When its call was made.
    call: Option<UnixTime>,
    /// Whether a request waits there.
    waits: bool,
    fetches: usize,
    /// When its last two calls were made.
    begun: [Option<UnixTime>; 2],
    last_good: Option<(UnixTime, usize)>,
    /// Since the last good one.
    last_bad: Option<UnixTime>,
}

impl Vm {
    fn new() -> Self {
        let mut cache = JwksCache::default();
        let remote = RemoteJwks::new(source(), &mut cache);
        Self { cache, remote, call: None, waits: false, fetches: 0, begun: [None; 2], last_good: None, last_bad: None }
    }

    /// What it believes is what it fetched last, and it has that up to the hard limit.
    fn believes_what_it_fetched(&self, now: UnixTime) {
        match (self.remote.current(now), self.last_good) {
            (None, None) => (),
            (Some(_), None) => panic!("keys that were never fetched"),
            (Some(set), Some((last, index))) => {
                for kid in ["p256", "p384", "ed25519"] {
                    assert_eq!(set.names(kid), SETS[index].contains(&format!("@{kid}")), "{kid} of {}", SETS[index]);
                }
                let longest = POLICY.stale_if_error + POLICY.max_reliance() + SKEW * 2;
                assert!(now.since(last) < longest, "{:?}", now.since(last));
            }
            (None, Some((last, _))) => {
                assert!(now.since(last) + SKEW * 2 >= POLICY.stale_if_error, "{:?}", now.since(last));
            }
        }
    }
}

struct Proxy {
    store: Shared,
    vms: Vec<Vm>,
    now: UnixTime,
    set: usize,
}

impl Proxy {
    fn new() -> Self {
        Self { store: Shared::default(), vms: (0..WORKERS).map(|_| Vm::new()).collect(), now: START, set: 0 }
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Pass(span) => self.now = self.now.plus(*span),
            Op::Tick(worker) => self.tick(*worker),
            Op::Miss(worker) => {
                let now = self.time_of(*worker);
                let vm = &mut self.vms[*worker];
                vm.waits |= matches!(vm.remote.ask_for_newer(SourceIndex(0), now), Err(Stop::Wait(..)));
            }
            Op::Good(worker) => {
                if self.answer(*worker, good(self.set)) {
                    let vm = &mut self.vms[*worker];
                    (vm.last_good, vm.last_bad) = (Some((self.now, self.set)), None);
                }
            }
            Op::Bad(worker) => {
                if self.answer(*worker, answer(500, &[], "")) {
                    let vm = &mut self.vms[*worker];
                    (vm.last_bad, vm.begun) = (Some(self.now), [None; 2]);
                }
            }
            Op::Crash(worker) => self.vms[*worker] = Vm::new(),
            Op::Reconfigure(worker) => {
                let vm = &mut self.vms[*worker];
                let mut source = source();
                source.name = "another".into();
                vm.remote = RemoteJwks::new(source, &mut vm.cache);
                (vm.call, vm.waits) = (None, false);
                vm.remote.sync(&self.store, self.now);
            }
            Op::Rotate(set) => self.set = *set,
            Op::Write(forged) => self.write(forged),
        }
        self.vms.iter().for_each(|vm| vm.believes_what_it_fetched(self.now));
    }

    fn write(&self, forged: &Forged) {
        let mut values = self.store.0.borrow_mut();
        let (value, version) = values.entry(source().record_name()).or_default();
        (*value, *version) = (forged.record(self.now), *version + 1);
    }

    /// A worker reads its clock before it reads what others have written meanwhile, by clocks that are further on.
    fn time_of(&self, worker: usize) -> UnixTime {
        self.now.plus(SKEW * u32::try_from(worker).unwrap())
    }

    fn tick(&mut self, worker: usize) {
        let now = self.time_of(worker);
        let vm = &mut self.vms[worker];
        let output = vm.remote.poll(&self.store, now);
        if output.call.is_some() {
            vm.fetches += 1;
            let lease = POLICY.timeout + Duration::from_secs(1) - SKEW * 2;
            assert!(vm.call.is_none_or(|since| self.now.since(since) >= lease), "two fetches at a time");
            // Nor too soon after the last two, whoever wants it.
            if vm.call.is_some() {
                // The last one was given up, which is a failure with pauses of its own.
                vm.begun = [None; 2];
            }
            if let Some(last) = vm.last_bad {
                assert!(self.now.since(last) + SKEW * 2 >= Duration::from_millis(500));
            } else if let [Some(last), _] = vm.begun {
                assert!(self.now.since(last) + SKEW * 2 >= POLICY.cooldown, "three fetches in a cooldown");
            }
            vm.begun = [vm.begun[1], Some(self.now)];
            vm.call = Some(self.now);
        }
        vm.waits &= !output.is_ended;
    }

    /// Whether there was a call, and the answer counted.
    fn answer(&mut self, worker: usize, answer: CallResult) -> bool {
        let now = self.time_of(worker);
        let vm = &mut self.vms[worker];
        if vm.call.take().is_none() {
            return false;
        }
        let output = vm.remote.deliver(answer, &self.store, now);
        vm.waits &= !output.is_ended;
        output.report.is_some()
    }

    fn fetches(&self) -> usize {
        self.vms.iter().map(|vm| vm.fetches).sum()
    }

    /// Every worker looks twice a second, and every call is answered at once.
    fn live(&mut self, span: Duration) {
        for _ in 0..span.as_millis() / 500 {
            (0..WORKERS).for_each(|worker| self.tick(worker));
            (0..WORKERS).for_each(|worker| self.run(&Op::Good(worker)));
            self.now = self.now.plus(Duration::from_micros(500_000 + u64::try_from(self.fetches()).unwrap()));
        }
    }

    /// A request that waits is let go, whether there is an answer or not.
    fn settle(&mut self) {
        for _ in 0..5 {
            (0..WORKERS).for_each(|worker| self.tick(worker));
            self.now = self.now.plus(POLICY.timeout + Duration::from_secs(1));
            self.vms.iter_mut().for_each(|vm| vm.call = None);
        }
        (0..WORKERS).for_each(|worker| self.tick(worker));
        assert!(self.vms.iter().all(|vm| !vm.waits), "a request waits for ever");
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

    /// Another plugin of the proxy may write what it likes: keys are neither added nor lost, and nobody asks too often.
    #[test]
    fn whatever_another_plugin_writes(
        ops in proptest::collection::vec(prop_oneof![3 => op(), 2 => forged().prop_map(Op::Write)], 1..120),
    ) {
        let mut proxy = Proxy::new();
        ops.iter().for_each(|op| proxy.run(op));
    }

    /// Nor can it keep a worker from asking: at once without keys, within the reliance with them, sooner if one is missed.
    #[test]
    fn no_record_stops_the_asking(forged in forged(), is_missed in any::<bool>()) {
        let mut proxy = Proxy::new();
        proxy.write(&forged);
        for worker in 0..WORKERS {
            proxy.tick(worker);
            prop_assert!(proxy.vms[worker].call.is_some(), "no keys, and no fetch");
            proxy.run(&Op::Good(worker));
        }
        let within = if is_missed { POLICY.cache_duration } else { POLICY.max_reliance() };
        let (before, end) = (proxy.fetches(), proxy.now.plus(within));
        while proxy.now < end {
            proxy.now = proxy.now.plus(Duration::from_secs(5));
            proxy.write(&forged);
            for worker in 0..WORKERS {
                if is_missed {
                    proxy.run(&Op::Miss(worker));
                }
                proxy.tick(worker);
                proxy.run(&Op::Good(worker));
            }
        }
        let fetches = proxy.fetches() - before;
        prop_assert!(fetches >= WORKERS, "{fetches}");
        let cooldowns = usize::try_from(within.as_secs() / POLICY.cooldown.as_secs()).unwrap();
        prop_assert!(fetches <= 2 * WORKERS * cooldowns, "{fetches} in {cooldowns} cooldowns");
    }

    /// However many keys nobody knows, and on whatever worker: one fetch in a cooldown, once every worker has its keys.
    #[test]
    fn unknown_keys_cause_one_fetch_in_a_cooldown(misses in proptest::collection::vec((0..WORKERS, 0_u64..100), 1..300)) {
        let mut proxy = Proxy::new();
        proxy.live(Duration::from_secs(1));
        let (began, before) = (proxy.now, proxy.fetches());
        for (worker, milliseconds) in misses {
            for op in [Op::Miss(worker), Op::Tick(worker), Op::Good(worker), Op::Pass(Duration::from_millis(milliseconds))] {
                proxy.run(&op);
            }
        }
        let cooldowns = proxy.now.since(began).as_millis() / POLICY.cooldown.as_millis();
        let fetches = proxy.fetches() - before;
        prop_assert!(fetches <= usize::try_from(cooldowns).unwrap() + 1, "{fetches} in {cooldowns}");
    }
}

// === single workers ===

/// A worker in a VM of its own.
fn remote(source: JwksSource) -> RemoteJwks {
    RemoteJwks::new(source, &mut JwksCache::default())
}

/// One worker whose issuer answers so.
fn fetch(jwks: &mut RemoteJwks, store: &Shared, now: UnixTime, answers: Vec<CallResult>) -> Output {
    let mut output = jwks.poll(store, now);
    for answer in answers {
        assert!(output.call.is_some(), "no call to answer");
        output = jwks.deliver(answer, store, now);
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
        (answer(504, &[SERVED], "upstream request timeout"), "status_504"),
        (answer(504, &[SERVED], ""), "status_504"),
        (answer(503, &[SERVED], "no healthy upstream"), "status_503"),
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
        let (store, mut jwks) = (Shared::default(), remote(source()));
        assert_eq!(failure(&fetch(&mut jwks, &store, START, vec![bad.clone()])).as_deref(), Some(class));
        assert!(jwks.current(START).is_none(), "{class}: no fallback key");
        assert!(matches!(jwks.ask_for_newer(SourceIndex(0), START), Err(Stop::Unavailable(_))), "{class}");

        let (store, mut jwks) = (Shared::default(), remote(source()));
        assert_eq!(failure(&fetch(&mut jwks, &store, START, vec![good(0)])), None);
        let later = START.plus(POLICY.cache_duration);
        assert!(failure(&fetch(&mut jwks, &store, later, vec![bad])).is_some(), "{class}");
        assert!(jwks.current(later).is_some_and(|set| set.names("p256")), "{class}: the keys are lost");
        assert!(matches!(jwks.ask_for_newer(SourceIndex(0), later), Err(Stop::Unavailable(_))), "{class}");
    }
}

/// What Envoy puts on every response that is not its own.
const SERVED: (&str, &str) = ("x-envoy-upstream-service-time", "5");

/// By Envoy's own clock, which may be a little ahead of ours.
#[test]
fn the_time_out_is_never_booked_as_the_issuers() {
    let timeout = || answer(504, &[("content-type", "text/plain")], "upstream request timeout");
    for (bad, took, class) in [
        (CallResult::Broken, POLICY.timeout, "timeout"),
        (CallResult::Broken, POLICY.timeout - Duration::from_millis(3), "timeout"),
        (CallResult::Broken, POLICY.timeout / 2, "connect"),
        (timeout(), POLICY.timeout, "timeout"),
        (timeout(), POLICY.timeout - Duration::from_millis(3), "timeout"),
        (answer(504, &[SERVED], "upstream request timeout"), POLICY.timeout, "status_504"),
    ] {
        let (store, mut jwks) = (Shared::default(), remote(source()));
        assert!(jwks.poll(&store, START).call.is_some());
        let output = jwks.deliver(bad.clone(), &store, START.plus(took));
        assert_eq!(failure(&output).as_deref(), Some(class), "{bad:?} after {took:?}");
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
        let (store, mut jwks) = (Shared::default(), remote(discovered()));
        let output = fetch(&mut jwks, &store, START, vec![metadata(issuer, keys)]);
        let call = output.call.as_ref().map(|call| {
            let authority = call.headers.iter().find(|(name, _)| *name == ":authority").unwrap();
            (call.cluster.as_str(), authority.1.as_str())
        });
        assert_eq!(call, place, "{keys}");
        assert_eq!(failure(&output).as_deref(), place.is_none().then_some("host_not_allowed"), "{keys}");
    }
    for other in ["https://idp.example.com/", "https://evil.example", ""] {
        let (store, mut jwks) = (Shared::default(), remote(discovered()));
        let output = fetch(&mut jwks, &store, START, vec![metadata(other, "https://idp.example.com/keys")]);
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
    let (store, mut jwks) = (Shared::default(), remote(discovered()));
    fetch(&mut jwks, &store, START, vec![metadata(), good(0)]);
    let mut now = START.plus(POLICY.cache_duration);
    assert_eq!(path(&jwks.poll(&store, now)).as_deref(), Some("/keys"));
    assert!(failure(&jwks.deliver(answer(404, &[], ""), &store, now)).is_some());
    now = now.plus(Duration::from_secs(2));
    assert_eq!(path(&jwks.poll(&store, now)).as_deref(), Some("/.well-known/openid-configuration"));
    jwks.deliver(metadata(), &store, now);
    jwks.deliver(good(0), &store, now);
    now = now.plus(Duration::from_secs(3600));
    assert_eq!(path(&jwks.poll(&store, now)).as_deref(), Some("/.well-known/openid-configuration"));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (store, mut jwks) = (Shared::default(), remote(source()));
    let tagged =
        answer(200, &[("etag", "\"1\""), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], keys::jwks("@p256"));
    fetch(&mut jwks, &store, START, vec![tagged]);
    // A worker that does not have the set asks for the whole of it.
    let mut other = remote(source());
    let call = other.poll(&store, START).call.unwrap();
    assert!(call.headers.iter().all(|(name, _)| !name.starts_with("if-")), "{call:?}");
    let mut other = jwks;
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
    let (store, mut jwks) = (Shared::default(), remote(source()));
    fetch(&mut jwks, &store, START, vec![answer(200, &[], keys::jwks("@p256 @p384"))]);
    let later = START.plus(POLICY.cache_duration);
    let output = fetch(&mut jwks, &store, later, vec![answer(200, &[], keys::jwks("@p384 @ed25519"))]);
    assert_eq!(output.gone.iter().map(|key| key.kid()).collect::<Vec<_>>(), [Some("p256")]);
    // Beyond the hard limit all of them go.
    let output = jwks.poll(&store, later.plus(POLICY.stale_if_error));
    assert_eq!(output.gone.len(), 2);
}

#[test]
fn a_key_that_cannot_be_used_is_not_asked_for_again() {
    let (store, mut jwks) = (Shared::default(), remote(source()));
    let output = fetch(&mut jwks, &store, START, vec![answer(200, &[], keys::jwks("@p256 @rsa:n=AQAB"))]);
    assert!(matches!(output.report.unwrap().outcome, Ok(Change::Updated(1, skipped)) if skipped.len() == 1));
    assert!(jwks.current(START).unwrap().names("rsa"));
}

#[test]
fn pauses_grow_and_stay_short_without_keys() {
    for (has_keys, longest) in [(true, 60), (false, 10)] {
        let (store, mut jwks) = (Shared::default(), remote(source()));
        let mut now = START;
        if has_keys {
            fetch(&mut jwks, &store, now, vec![good(0)]);
            now = now.plus(POLICY.cache_duration);
        }
        let mut pauses = Vec::new();
        for number in 0..12_u64 {
            assert!(failure(&fetch(&mut jwks, &store, now, vec![answer(500, &[], "")])).is_some());
            let pause = jwks.next_in(now);
            assert_eq!(jwks.poll(&store, now.plus(pause - Duration::from_millis(1))).call, None);
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
    let (store, mut jwks) = (Shared::default(), remote(source()));
    fetch(&mut jwks, &store, START, vec![good(0)]);
    assert!(jwks.poll(&store, UnixTime::from_secs(1_000)).call.is_some());
}

#[test]
fn a_damaged_record_costs_nothing_but_a_fetch() {
    for damage in [&b""[..], b"\n", b"{}", b"\xff\xff", b"null", &[b'{'; 100_000]] {
        let (store, mut jwks) = (Shared::default(), remote(source()));
        fetch(&mut jwks, &store, START, vec![answer(200, &[("etag", "\"1\"")], keys::jwks("@p256"))]);
        let name = source().record_name();
        store.0.borrow_mut().get_mut(&name).unwrap().0 = damage.to_vec();
        assert_eq!(jwks.poll(&store, START).call, None, "{damage:?}: too soon");
        assert!(jwks.current(START).is_some(), "{damage:?}: the keys are lost");
        let later = START.plus(POLICY.cooldown);
        let call = jwks.poll(&store, later).call.expect("a fetch");
        assert!(call.headers.contains(&("if-none-match", "\"1\"".into())), "its own validators");
        jwks.deliver(answer(304, &[], ""), &store, later);
        // The record is good again: nothing more to do.
        assert_eq!(jwks.poll(&store, later.plus(POLICY.cooldown)).call, None, "{damage:?}");
        assert!(jwks.current(later).is_some());
    }
}

#[test]
fn no_record_keeps_keys_beyond_the_hard_limit_for_long() {
    let mut proxy = Proxy::new();
    proxy.tick(0);
    proxy.run(&Op::Good(0));
    let end = POLICY.stale_if_error + POLICY.max_reliance();
    while proxy.now.since(START) < end {
        assert!(proxy.vms[0].remote.current(proxy.now).is_some());
        // It says all the time that the issuer has just confirmed the set, and the issuer is down.
        let times = (1_000_000, 1_000_000);
        proxy.write(&Forged::State { ended: 1, failures: 0, cached: Some((0, 0)), is_fetching: false, times });
        proxy.tick(0);
        proxy.run(&Op::Bad(0));
        proxy.now = proxy.now.plus(Duration::from_secs(20));
    }
    assert!(proxy.vms[0].remote.current(proxy.now).is_none());
}

#[test]
fn a_record_that_names_ever_other_sets_causes_two_fetches_in_a_cooldown() {
    let mut proxy = Proxy::new();
    let cooldowns = 20_usize;
    while proxy.now.since(START) < POLICY.cooldown * u32::try_from(cooldowns).unwrap() {
        let set = proxy.now.subsec_micros() / 500_000;
        let cached = Some((1 + usize::try_from(set).unwrap(), 0));
        proxy.write(&Forged::State { ended: 1, failures: 0, cached, is_fetching: false, times: (9_999, 9_999) });
        proxy.tick(0);
        proxy.run(&Op::Good(0));
        proxy.now = proxy.now.plus(Duration::from_millis(500));
    }
    let fetches = proxy.fetches();
    assert!((cooldowns..=2 * cooldowns).contains(&fetches), "{fetches} in {cooldowns} cooldowns");
}

/// What claimgate before this form wrote stays beside it, and is not read.
#[test]
fn another_form_has_another_name() {
    let store = Shared::default();
    let old = source().record_name().replace("keys.2.", "keys.1.");
    store.0.borrow_mut().insert(old.clone(), (b"{}\n{\"keys\":[]}".to_vec(), 1));
    let mut jwks = remote(source());
    fetch(&mut jwks, &store, START, vec![good(0)]);
    assert_eq!(store.0.borrow()[&old], (b"{}\n{\"keys\":[]}".to_vec(), 1));
    assert_eq!(store.0.borrow().len(), 2);
}

#[test]
fn refreshes_are_one_a_proxy_and_a_changed_set_one_a_worker() {
    let mut proxy = Proxy::new();
    proxy.live(Duration::from_secs(2));
    assert_eq!(proxy.fetches(), WORKERS, "a worker without keys fetches them itself");
    proxy.live(POLICY.cache_duration * 4);
    let refreshes = proxy.fetches() - WORKERS;
    assert!((4..=5).contains(&refreshes), "{refreshes}");
    let before = proxy.fetches();
    proxy.run(&Op::Rotate(1));
    proxy.live(POLICY.cache_duration - Duration::from_secs(1));
    assert_eq!(proxy.fetches() - before, WORKERS, "{:?}", proxy.vms.iter().map(|vm| vm.fetches).collect::<Vec<_>>());
    assert!(proxy.vms.iter().all(|vm| vm.last_good.unwrap().1 == 1));
}

#[test]
fn configurations_of_one_vm_share_what_it_fetched_and_others_do_not() {
    let (store, mut cache) = (Shared::default(), JwksCache::default());
    let mut first = RemoteJwks::new(source(), &mut cache);
    fetch(&mut first, &store, START, vec![good(0)]);
    let mut second = RemoteJwks::new(source(), &mut cache);
    assert_eq!(second.poll(&store, START).call, None);
    assert!(second.current(START).is_some());
    // One of them asks again, and both have the new set.
    let later = START.plus(POLICY.cache_duration);
    let output = fetch(&mut second, &store, later, vec![good(2)]);
    assert_eq!(output.gone.len(), 1);
    let output = first.poll(&store, later);
    assert_eq!((output.call, output.gone.len()), (None, 1));
    assert!(first.current(later).unwrap().names("ed25519"));
    // Another VM has only the record.
    let mut other = remote(source());
    other.sync(&store, later);
    assert!(other.current(later).is_none());
    assert!(matches!(other.ask_for_newer(SourceIndex(0), later), Err(Stop::Wait(..))));
    // Nor does anything outlive the last configuration.
    drop((first, second));
    let mut late = RemoteJwks::new(source(), &mut cache);
    late.sync(&store, later);
    assert!(late.current(later).is_none());
}

#[test]
fn a_longer_stale_time_written_during_an_outage_keeps_the_keys() {
    let (store, mut cache) = (Shared::default(), JwksCache::default());
    let mut jwks = RemoteJwks::new(source(), &mut cache);
    fetch(&mut jwks, &store, START, vec![good(0)]);
    let later = START.plus(POLICY.stale_if_error);
    assert!(failure(&fetch(&mut jwks, &store, later, vec![answer(500, &[], "")])).is_some());
    assert!(jwks.current(later).is_none());
    let mut source = source();
    source.policy.stale_if_error *= 2;
    let mut next = RemoteJwks::new(source, &mut cache);
    next.sync(&store, later);
    assert!(next.current(later).is_some_and(|set| set.names("p256")));
}

#[test]
fn an_end_that_could_not_be_written_is_written_later() {
    struct Busy<'a>(&'a Shared);
    impl SharedStore for Busy<'_> {
        fn get(&self, name: &str) -> Option<(Vec<u8>, Cas)> {
            self.0.get(name)
        }

        fn set(&self, _: &str, _: &[u8], _: Option<Cas>) -> Result<(), CasMismatch> {
            Err(CasMismatch)
        }
    }
    let (store, mut jwks) = (Shared::default(), remote(source()));
    assert!(jwks.poll(&store, START).call.is_some());
    let output = jwks.deliver(good(0), &Busy(&store), START);
    assert!(output.is_ended && jwks.current(START).is_some(), "what was fetched counts");
    let record = || String::from_utf8(store.get(&source().record_name()).unwrap().0).unwrap();
    assert!(record().contains("fetching"), "{}", record());
    jwks.poll(&store, START);
    assert!(record().contains("resting") && record().contains(&digest(0)), "{}", record());
    // A key that is missed meanwhile is not forgotten.
    let later = START.plus(POLICY.cooldown);
    assert!(matches!(jwks.ask_for_newer(SourceIndex(0), later), Err(Stop::Wait(..))));
    assert_eq!(jwks.poll(&Busy(&store), later).call, None);
    assert!(jwks.poll(&store, later).call.is_some());
}

#[test]
fn a_set_of_too_many_keys_is_refused_before_it_is_built() {
    let (store, mut jwks) = (Shared::default(), remote(source()));
    let body = format!(r#"{{"keys": [{}{{}}]}}"#, "{},".repeat(349_469));
    assert_eq!(failure(&fetch(&mut jwks, &store, START, vec![answer(200, &[], body)])).as_deref(), Some("too_large"));
    let key = keys::jwks("@p256").trim_start_matches(r#"{"keys":["#).trim_end_matches("]}").to_owned();
    for (count, is_read) in [(255, true), (256, false)] {
        let body = format!(r#"{{"keys": [{}{key}]}}"#, "{},".repeat(count));
        let set = KeySet::parse_fetched(body.as_bytes(), Algorithm::ASYMMETRIC).0;
        assert_eq!(set.is_ok(), is_read, "{count}");
        assert!(KeySet::parse(body.as_bytes(), Algorithm::ASYMMETRIC).0.is_ok(), "an inline set is the operator's own");
    }
}

#[test]
fn what_an_issuer_writes_is_told_short_and_printable() {
    let (store, mut jwks) = (Shared::default(), remote(source()));
    let key = keys::jwks("@p256").trim_start_matches(r#"{"keys":["#).trim_end_matches("]}").to_owned();
    let long = "x".repeat(10_000);
    let odd = [
        json!({"kty": "a\nb", "kid": "\u{202e}kid\r\n"}),
        json!({"kty": long, "kid": long}),
        json!({"kty": "EC", "crv": format!("P\n{long}")}),
        json!({"use": {"a": [long]}}),
        json!({"kty": "oct", "k": "AAAA"}),
    ];
    let members: Vec<String> = odd.iter().map(ToString::to_string).chain(vec!["{}".to_owned(); 20]).collect();
    let body = format!(r#"{{"keys": [{},{key}]}}"#, members.join(","));
    let lines = fetch(&mut jwks, &store, START, vec![answer(200, &[], body)]).report.unwrap().lines();
    assert!(lines.iter().all(|(_, line)| line.len() < 300 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte))));
    assert_eq!(lines.len(), 1 + 10 + 1);
    assert_eq!(lines[0].0, Level::Info);
    assert!(lines[0].1.starts_with("keys of idp: 1 from https://idp.example.com/keys; the next fetch is in "));
    assert_eq!(
        lines[1].1,
        "keys of idp: the key `\\u{202e}kid\\r\\n` at index 0 is skipped: its `kty` is `a\\nb`, not `RSA`, `EC`, `OKP` or `oct`"
    );
    assert_eq!(lines[11].1, "keys of idp: 15 more keys are skipped");
}

#[test]
fn one_worker_tells_of_a_new_set_and_each_of_its_recovery() {
    let level = |output: Output| output.report.unwrap().lines()[0].0;
    let (store, mut first, mut second) = (Shared::default(), remote(source()), remote(source()));
    assert_eq!(level(fetch(&mut first, &store, START, vec![good(0)])), Level::Info);
    assert_eq!(level(fetch(&mut second, &store, START, vec![good(0)])), Level::Debug);
    let mut third = remote(source());
    assert_eq!(level(fetch(&mut third, &store, START, vec![answer(500, &[], "")])), Level::Warn);
    let later = START.plus(Duration::from_secs(2));
    assert_eq!(level(fetch(&mut third, &store, later, vec![good(0)])), Level::Info);
    let mut fourth = remote(source());
    assert_eq!(level(fetch(&mut fourth, &store, later, vec![CallResult::NoCluster])), Level::Error);
}

#[test]
fn a_url_is_told_without_its_query() {
    let endpoint = Endpoint::parse("https://idp.example.com/keys?secret=hunter2", None).unwrap();
    assert_eq!(endpoint.url(), "https://idp.example.com/keys");
    assert_eq!(endpoint.path, "/keys?secret=hunter2");
    let endpoint = Endpoint::parse("https://idp.example.com?tenant=1", None).unwrap();
    assert_eq!(endpoint.path, "/?tenant=1");
}

#[test]
fn of_unnamed_keys_only_so_many_are_tried_and_the_next_says_so() {
    let mut key: serde_json::Value = serde_json::from_str(&keys::jwks("@p256")).unwrap();
    let mut key = key["keys"][0].take();
    key.as_object_mut().unwrap().remove("kid");
    let set = json!({"keys": vec![key; 17]}).to_string();
    let (set, skipped) = KeySet::parse(set.as_bytes(), Algorithm::ASYMMETRIC);
    assert_eq!(set.unwrap().len(), 16);
    let told = "the key without a name at index 16 is skipped: it has no `kid`, and a token is tried with 16 such keys at most";
    assert_eq!(skipped.iter().map(ToString::to_string).collect::<Vec<_>>(), [told]);
}

#[test]
fn what_decides_which_keys_are_believed_is_the_identity() {
    let other = |change: &dyn Fn(&mut JwksSource)| {
        let mut source = source();
        change(&mut source);
        source.identity()
    };
    let same = source().identity();
    assert_eq!(other(&|source| source.name = "another".into()), same);
    let span = Duration::from_secs(7);
    let policy = RefreshPolicy { timeout: span, cache_duration: span, cooldown: span, stale_if_error: span };
    assert_eq!(other(&|source| source.policy = policy), same);
    assert_ne!(other(&|source| source.location = discovered().location), same);
    for url in ["https://idp.example.com/keys2", "http://idp.example.com:443/keys", "https://idp.example.com:80/keys"] {
        let elsewhere = Endpoint::parse(url, Some("outbound|443||idp.example.com")).unwrap();
        assert_ne!(other(&|source| source.location = JwksLocation::Uri(elsewhere.clone())), same, "{url}");
    }
}
