//! The keys of one source on one worker: what to verify with now, and when to ask for newer ones.
//!
//! A worker believes only what it fetched itself ([`JwksCache`]). The record that the workers share says who asks next, and
//! by a digest whether somebody has found another set; whatever is written there, keys are neither added nor lost by it, a
//! worker asks at most twice in a cooldown, and no later than the reliance of its policy allows.

use std::{cell::RefCell, rc::Rc, time::Duration};

use super::{
    fetch_error::FetchError,
    jwks_cache::{CachedJwks, JwksCache},
    jwks_source::{JwksLocation, JwksSource},
    output::Output,
    pending_fetch::{Fetched, PendingFetch, Stage},
    report::{Change, Report},
};
use crate::{
    denial::Denial,
    keys::KeySet,
    outbound::{
        SourceIndex,
        call::{Call, CallResult},
        freshness,
        refresh::{Event, Lease, RefreshState},
        shared_store::{self, CasMismatch, SharedStore},
    },
    stop::Stop,
    time::UnixTime,
};

/// How long metadata are believed without asking again, as long as the keys are where they say.
const METADATA_LIFETIME: Duration = Duration::from_secs(3600);

/// The keys of one source on one worker.
#[derive(Debug)]
pub struct RemoteJwks {
    source: JwksSource,
    /// The name of the shared record.
    record: String,
    /// What that record last said.
    shared: RefreshState,
    cache: Rc<RefCell<CachedJwks>>,
    /// The set in use.
    set: Option<Rc<KeySet>>,
    pending: Option<PendingFetch>,
    /// What is still to be written into the record.
    unwritten: Option<Event>,
    /// How many fetches had ended, of this VM and of all workers.
    ended: (u64, u64),
    is_missed: bool,
}

impl RemoteJwks {
    /// With what this VM has fetched from the source before.
    pub fn new(source: JwksSource, cache: &mut JwksCache) -> Self {
        Self {
            record: source.record_name(),
            shared: RefreshState::default(),
            cache: cache.entry(&source),
            source,
            set: None,
            pending: None,
            unwritten: None,
            ended: (0, 0),
            is_missed: false,
        }
    }

    /// Takes a set as if it had just been fetched, where nothing is fetched.
    pub fn preload(&mut self, set: KeySet, now: UnixTime) {
        let policy = self.source.policy;
        {
            let mut cache = self.cache.borrow_mut();
            if let (state, Some(lease)) = RefreshState::default().step(Event::Due, &policy, now) {
                let event = Event::Confirmed(lease, set.digest(), policy.cache_duration);
                cache.state = state.step(event, &policy, now).0;
                cache.set = Some(Rc::new(set));
            }
        }
        self.adopt(now);
    }

    /// Whose keys they are.
    pub fn source(&self) -> &JwksSource {
        &self.source
    }

    /// The keys to verify with; none before the first good answer and beyond the hard limit.
    pub fn current(&self, now: UnixTime) -> Option<&Rc<KeySet>> {
        self.set.as_ref().filter(|_| self.age(now).is_some())
    }

    /// How long ago the issuer last confirmed the keys, if that is within the hard limit.
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        let cache = self.cache.borrow();
        let own = cache.state.cached()?;
        // What others had confirmed to them counts, but only so far.
        let longest = own.confirmed.plus(self.source.policy.max_reliance());
        let of_others = self.shared.cached().filter(|shared| shared.digest == own.digest && shared.confirmed <= now);
        let confirmed = of_others.map_or(own.confirmed, |shared| own.confirmed.max(shared.confirmed.min(longest)));
        Some(now.since(confirmed)).filter(|age| *age < self.source.policy.stale_if_error)
    }

    /// Asks for newer keys than these, on behalf of a token whose key is not among them.
    ///
    /// # Errors
    /// They may be there in a moment, or it can't be known whether there are any. Without an error, these are as new as they
    /// may be.
    pub fn ask_for_newer(&mut self, source: SourceIndex, now: UnixTime) -> Result<(), Stop> {
        let policy = &self.source.policy;
        let own = self.cache.borrow().state.clone();
        // By a fetch of this worker's, now or at the next look; or by what another is fetching or has found.
        let from_here = own.may_bring(policy, now)
            && (own.is_fetching() || self.must_ask(true, now) || self.shared.may_bring(policy, now));
        let from_others = own.failures() == 0 && (self.shared.is_fetching() || self.is_outdated());
        if from_here || from_others {
            self.is_missed = true;
            Err(Stop::Wait(source, Denial::keys_unavailable(self.next_in(now)).into()))
        } else if own.failures() > 0 || self.shared.failures() > 0 || self.current(now).is_none() {
            Err(Stop::Unavailable(Denial::keys_unavailable(self.next_in(now)).into()))
        } else {
            Ok(())
        }
    }

    /// How long until there may be newer ones.
    pub fn next_in(&self, now: UnixTime) -> Duration {
        let own = &self.cache.borrow().state;
        let state = if own.failures() > 0 || own.cached().is_none() { own } else { &self.shared };
        state.next_in(&self.source.policy, now)
    }

    /// Learns what this VM and the others have done since, and asks for nothing.
    pub fn sync(&mut self, store: &dyn SharedStore, now: UnixTime) -> Output {
        self.read(store, now);
        self.adopt(now)
    }

    /// The same, and begins a fetch if one is due or a key was missed.
    pub fn poll(&mut self, store: &dyn SharedStore, now: UnixTime) -> Output {
        self.read(store, now);
        let call = self.begin(store, now);
        Output { call, ..self.adopt(now) }
    }

    /// Reads the answer to the call that was made last.
    pub fn deliver(&mut self, result: CallResult, store: &dyn SharedStore, now: UnixTime) -> Output {
        let policy = self.source.policy;
        let Some(pending) = self.pending.take() else { return Output::default() };
        let PendingFetch { own, shared, follows, stage, since } = pending;
        if !self.cache.borrow().state.awaits(own) {
            // It took so long that this VM has given it up.
            return self.sync(store, now);
        }
        let response = result.response(now.since(since), policy.timeout).map_err(FetchError::from);
        let fetched = response.and_then(|response| stage.read(response));
        if let Ok(Fetched::Location(keys)) = &fetched {
            self.step(Event::NextCall(own), now);
            self.write(shared.map(Event::NextCall), store, now);
            self.cache.borrow_mut().location = Some((keys.clone(), now));
            let call = Call::to(keys, policy.timeout, &[]);
            let stage = Stage::Keys(keys.clone(), None);
            self.pending = Some(PendingFetch { own, shared, follows, stage, since: now });
            return Output { call: Some(call), ..self.adopt(now) };
        }
        if fetched.is_ok() {
            self.cache.borrow_mut().followed = follows;
        }
        let is_recovery = self.cache.borrow().state.failures() > 0;
        let outcome = self.keep(fetched, own, shared, store, now);
        let output = self.adopt(now);
        let state = if shared.is_some() { &self.shared } else { &self.cache.borrow().state };
        let report = Report {
            name: self.source.name.clone(),
            url: stage.endpoint().url(),
            cluster: stage.endpoint().cluster.clone(),
            is_for_all: shared.is_some(),
            is_recovery,
            outcome,
            next_in: state.next_in(&policy, now),
        };
        Output { report: Some(report), ..output }
    }

    /// Keeps what was fetched, and says when in the record. Metadata that led to a failure are asked for again.
    fn keep(
        &mut self,
        fetched: Result<Fetched, FetchError>,
        own: Lease,
        shared: Option<Lease>,
        store: &dyn SharedStore,
        now: UnixTime,
    ) -> Result<Change, FetchError> {
        let policy = self.source.policy;
        let (digest, lifetime, change) = match fetched {
            Ok(Fetched::Set(response, set, skipped)) => {
                let mut cache = self.cache.borrow_mut();
                cache.validators = response.validators();
                let (digest, lifetime) = (set.digest(), freshness::lifetime(&response, &policy, now));
                let is_same = cache.state.cached().is_some_and(|cached| cached.digest == digest) && cache.set.is_some();
                let change = if is_same { Change::Unchanged } else { Change::Updated(set.len(), skipped) };
                if !is_same {
                    cache.set = Some(Rc::new(set.reusing(cache.set.as_deref())));
                }
                (digest, lifetime, change)
            }
            Ok(Fetched::NotModified(response, digest)) => {
                (digest, freshness::lifetime(&response, &policy, now), Change::Unchanged)
            }
            Ok(Fetched::Location(_)) => return Ok(Change::Unchanged),
            Err(error) => {
                self.cache.borrow_mut().location = None;
                self.step(Event::Failed(own), now);
                self.write(shared.map(Event::Failed), store, now);
                return Err(error);
            }
        };
        self.step(Event::Confirmed(own, digest.clone(), lifetime), now);
        self.write(shared.map(|lease| Event::Confirmed(lease, digest, lifetime)), store, now);
        Ok(change)
    }

    /// Begins a fetch, if this VM may and there is a reason: the lease of the whole proxy, or one of its own.
    fn begin(&mut self, store: &dyn SharedStore, now: UnixTime) -> Option<Call> {
        let policy = self.source.policy;
        let event = if self.is_missed { Event::Demand } else { Event::Due };
        let must_ask = self.must_ask(self.is_missed, now);
        let (state, is_ahead) = {
            let cache = self.cache.borrow();
            (cache.state.clone(), self.is_outdated() && !cache.is_ahead)
        };
        let (state, own) = state.step(if is_ahead { Event::Newer } else { Event::Demand }, &policy, now);
        let Some(own) = own else {
            // Under way, too soon, or given up just now.
            self.cache.borrow_mut().state = state;
            self.is_missed = false;
            return None;
        };
        let shared = self.change(store, now, |shared| shared.step(event.clone(), &policy, now));
        // A demand that could not be written down is tried again.
        self.is_missed &= shared.is_err();
        let shared = shared.ok().flatten();
        if shared.is_none() && !must_ask {
            return None;
        }
        {
            let mut cache = self.cache.borrow_mut();
            (cache.state, cache.is_ahead) = (state, is_ahead);
        }
        self.is_missed = false;
        Some(self.call(own, shared, now))
    }

    /// The first call of a fetch.
    fn call(&mut self, own: Lease, shared: Option<Lease>, now: UnixTime) -> Call {
        let cache = self.cache.borrow();
        let known = cache.location.as_ref().filter(|(_, when)| now.since(*when) < METADATA_LIFETIME);
        let endpoint = match &self.source.location {
            JwksLocation::Uri(endpoint) => Ok(endpoint),
            JwksLocation::Discovery(discovery) => known.map(|(endpoint, _)| endpoint).ok_or(discovery),
        };
        // A 304 counts only if it was asked for: with keys, and with what the issuer gave to ask with.
        let is_conditional = cache.set.is_some() && !cache.validators.headers().is_empty();
        let digest = cache.state.cached().filter(|_| is_conditional).map(|cached| cached.digest.clone());
        let (stage, validators) = match endpoint {
            Ok(endpoint) => (Stage::Keys(endpoint.clone(), digest), cache.validators.headers()),
            Err(discovery) => (Stage::Metadata(discovery.clone()), Vec::new()),
        };
        let call = Call::to(stage.endpoint(), self.source.policy.timeout, &validators);
        drop(cache);
        let follows = self.shared.cached().map(|cached| cached.digest.clone());
        self.pending = Some(PendingFetch { own, shared, follows, stage, since: now });
        call
    }

    /// Whether this worker has to ask itself, whatever the others do.
    fn must_ask(&self, is_missed: bool, now: UnixTime) -> bool {
        let is_overdue = self.cache.borrow().state.is_overdue(is_missed, &self.source.policy, now);
        is_overdue || self.age(now).is_none() || self.is_outdated()
    }

    /// Whether others have found another set, and this worker has not asked since.
    fn is_outdated(&self) -> bool {
        let cache = self.cache.borrow();
        let own = cache.state.cached().map(|cached| &cached.digest);
        self.shared
            .cached()
            .is_some_and(|shared| Some(&shared.digest) != own && Some(&shared.digest) != cache.followed.as_ref())
    }

    fn step(&self, event: Event, now: UnixTime) {
        let mut cache = self.cache.borrow_mut();
        cache.state = cache.state.clone().step(event, &self.source.policy, now).0;
    }

    /// Writes the end of a fetch into the record, or keeps it to write it later.
    fn write(&mut self, event: Option<Event>, store: &dyn SharedStore, now: UnixTime) {
        let Some(event) = event else { return };
        let policy = self.source.policy;
        let step = |shared: RefreshState| (shared.step(event.clone(), &policy, now).0, Some(()));
        let written = self.change(store, now, step);
        self.unwritten = written.is_err().then_some(event);
    }

    fn read(&mut self, store: &dyn SharedStore, now: UnixTime) {
        let unwritten = self.unwritten.take();
        self.write(unwritten, store, now);
        let record = store.get(&self.record);
        self.shared = record.and_then(|(record, _)| RefreshState::decode(&record, now)).unwrap_or_default();
    }

    /// Changes the record, if there is something to change. One that can't be read is begun anew.
    fn change<T>(
        &mut self,
        store: &dyn SharedStore,
        now: UnixTime,
        step: impl Fn(RefreshState) -> (RefreshState, Option<T>),
    ) -> Result<Option<T>, CasMismatch> {
        let mut seen = RefreshState::default();
        let outcome = shared_store::update(store, &self.record, |record| {
            let before = record.and_then(|record| RefreshState::decode(record, now)).unwrap_or_default();
            let (after, outcome) = step(before.clone());
            seen = after.clone();
            (after != before).then(|| (after.encode(), outcome))
        });
        if outcome.is_ok() {
            self.shared = seen;
        }
        outcome.map(Option::flatten)
    }

    /// Takes over what this VM has by now.
    fn adopt(&mut self, now: UnixTime) -> Output {
        let set = self.cache.borrow().set.clone().filter(|_| self.age(now).is_some());
        let gone = match (&self.set, &set) {
            (Some(old), Some(new)) if Rc::ptr_eq(old, new) => Vec::new(),
            (Some(old), new) => old.keys_not_in(new.as_deref()),
            (None, _) => Vec::new(),
        };
        self.set = set;
        let state = &self.cache.borrow().state;
        let ended = (state.ended(), self.shared.ended());
        // While this VM follows, what the others have ended is not over.
        let is_ended = ended.0 != self.ended.0 || ended.1 != self.ended.1 && !state.is_fetching();
        self.ended = ended;
        Output { is_ended, gone, ..Output::default() }
    }
}
