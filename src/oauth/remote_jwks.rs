//! One worker's hold on a remote key set: the keys to verify with now, and its part in getting newer ones.
//!
//! What all workers know stands in the [`SharedStore`]; whoever first writes there that a fetch is due is the one to make it.

use std::{rc::Rc, time::Duration};

use super::{
    fetch_error::FetchError,
    jwks_source::{JwksLocation, JwksSource},
    output::{Change, Output, Report},
    pending_fetch::{Fetched, PendingFetch, Stage},
    record::{Header, Record},
};
use crate::{
    jose::algorithm::Algorithm,
    keys::KeySet,
    outbound::{
        call::{Call, CallResult},
        endpoint::Endpoint,
        freshness,
        refresh::{Event, Lease, RefreshState},
        shared_store::{Cas, SharedStore},
    },
    time::UnixTime,
};

/// How long metadata are believed without asking again, as long as the keys are where they say.
const METADATA_LIFETIME: Duration = Duration::from_secs(3600);
/// How often a worker tries again when others write at the same time.
const MOST_ATTEMPTS: usize = 8;

/// The keys of one source on one worker.
#[derive(Debug)]
pub struct RemoteJwks {
    source: JwksSource,
    name: String,
    state: RefreshState,
    set: Option<Rc<KeySet>>,
    /// Of the set's bytes.
    digest: Option<String>,
    pending: Option<PendingFetch>,
    is_missed: bool,
}

/// Whether newer keys than these can be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outlook {
    /// They are on their way, or will be in a moment.
    Wait,
    /// They can't be had just now, so nobody knows.
    Unavailable,
    /// These are as new as they may be.
    Settled,
}

impl RemoteJwks {
    /// A remote without keys so far.
    pub fn new(source: JwksSource) -> Self {
        // The number is that of the record's form: another version of claimgate keeps its own.
        let name = format!("claimgate.keys.1.{}", source.fingerprint());
        Self { source, name, state: RefreshState::default(), set: None, digest: None, pending: None, is_missed: false }
    }

    /// Takes a set from whoever has it already, as if it had just been fetched: at a desk nobody fetches.
    pub fn preload(&mut self, set: KeySet, now: UnixTime) {
        let policy = self.source.policy;
        if let (state, Some(lease)) = RefreshState::default().step(Event::Due, &policy, now) {
            self.state = state.step(Event::Brought(lease, String::new(), policy.cache_duration), &policy, now).0;
            self.set = Some(Rc::new(set));
        }
    }

    /// Whose keys they are.
    pub fn source(&self) -> &JwksSource {
        &self.source
    }

    /// The keys to verify with; none before the first good answer and beyond the hard limit.
    pub fn current(&self, now: UnixTime) -> Option<&Rc<KeySet>> {
        self.set.as_ref().filter(|_| self.state.holding(&self.source.policy, now).is_some())
    }

    /// How long ago the issuer last confirmed the keys.
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.state.holding(&self.source.policy, now).map(|held| now.since(held.confirmed))
    }

    /// Asks for newer keys than these, on behalf of a token whose key is not among them.
    pub fn ask_for_newer(&mut self, now: UnixTime) -> Outlook {
        if self.state.may_bring(&self.source.policy, now) {
            self.is_missed = true;
            Outlook::Wait
        } else if self.state.failures() > 0 || self.current(now).is_none() {
            Outlook::Unavailable
        } else {
            Outlook::Settled
        }
    }

    /// How long until there may be newer ones.
    pub fn next_in(&self, now: UnixTime) -> Duration {
        self.state.next_in(now)
    }

    /// Takes over what others know, without a part in it.
    pub fn sync(&mut self, store: &dyn SharedStore, now: UnixTime) -> Output {
        self.write(store, now, &mut |_| None).0
    }

    /// Takes over what others know, and begins a fetch if one is due or a key was missed.
    pub fn poll(&mut self, store: &dyn SharedStore, now: UnixTime) -> Output {
        let policy = self.source.policy;
        let event = if std::mem::take(&mut self.is_missed) { Event::Demand } else { Event::Due };
        let (mut output, lease) = self.write(store, now, &mut |record| {
            let (state, lease) = record.header.state.clone().step(event.clone(), &policy, now);
            record.header.state = state;
            lease
        });
        if let Some((lease, header)) = lease {
            output.call = Some(self.begin(lease, &header, now));
        }
        output
    }

    /// Reads the answer to the call that was made last.
    pub fn deliver(&mut self, answer: CallResult, store: &dyn SharedStore, now: UnixTime) -> Output {
        let Some(PendingFetch { lease, stage, since }) = self.pending.take() else { return Output::default() };
        let policy = self.source.policy;
        let find = answer
            .response(now.since(since), policy.timeout)
            .map_err(FetchError::from)
            .and_then(|response| stage.read(response));
        let event = match &find {
            Ok(Fetched::Location(_)) => Event::NextCall(lease),
            Ok(Fetched::Set(digest, response, ..) | Fetched::Same(digest, response)) => {
                Event::Brought(lease, digest.clone(), freshness::lifetime(response, &policy))
            }
            Err(_) => Event::Failed(lease),
        };
        let old = self.digest.clone();
        let mut is_timely = false;
        let (mut output, _) = self.write(store, now, &mut |record| {
            is_timely = record.header.state.awaits(lease);
            if is_timely {
                record.header.state = record.header.state.clone().step(event.clone(), &policy, now).0;
                record.note(&find, now);
            }
            None
        });
        if !is_timely {
            // The others have given this worker up, and its answer with it.
            return output;
        }
        let Endpoint { cluster, .. } = stage.endpoint();
        let (url, cluster) = (stage.endpoint().url(), cluster.clone());
        let outcome = match find {
            Ok(Fetched::Location(keys)) => {
                output.call = Some(Call::to(&keys, policy.timeout, &[]));
                self.pending = Some(PendingFetch { lease, stage: Stage::Keys(keys, None), since: now });
                return output;
            }
            Ok(Fetched::Set(digest, _, set, skipped)) if old.as_ref() != Some(&digest) => {
                Ok(Change::Updated(set.len(), skipped))
            }
            Ok(Fetched::Set(..) | Fetched::Same(..)) => Ok(Change::Unchanged),
            Err(error) => Err(error),
        };
        output.report = Some(Report { url, cluster, outcome, next_in: self.state.next_in(now) });
        output
    }

    fn begin(&mut self, lease: Lease, header: &Header, now: UnixTime) -> Call {
        let found = header.found.as_ref().filter(|(_, when)| now.since(*when) < METADATA_LIFETIME);
        let stage = match &self.source.location {
            JwksLocation::Uri(endpoint) => Stage::Keys(endpoint.clone(), self.digest.clone()),
            JwksLocation::Discovery(discovery) => match found.and_then(|(url, _)| discovery.keys_at(url)) {
                Some(endpoint) => Stage::Keys(endpoint, self.digest.clone()),
                None => Stage::Metadata(discovery.clone()),
            },
        };
        let validators = match &stage {
            Stage::Keys(_, Some(_)) => header.validators.headers(),
            _ => Vec::new(),
        };
        let call = Call::to(stage.endpoint(), self.source.policy.timeout, &validators);
        self.pending = Some(PendingFetch { lease, stage, since: now });
        call
    }

    /// Changes the record, unless there is nothing to change, and takes over what it says.
    fn write(
        &mut self,
        store: &dyn SharedStore,
        now: UnixTime,
        change: &mut dyn FnMut(&mut Record) -> Option<Lease>,
    ) -> (Output, Option<(Lease, Header)>) {
        for _ in 0..MOST_ATTEMPTS {
            let (mut record, version) = self.read(store);
            let before = record.header.clone();
            let lease = change(&mut record);
            let is_written =
                record.header == before && version.is_some() || store.write(&self.name, &record.encode(), version);
            if is_written {
                let header = record.header.clone();
                return (self.adopt(record, now), lease.map(|lease| (lease, header)));
            }
        }
        // Everybody writes at once: there is another turn soon.
        (Output::default(), None)
    }

    fn read(&self, store: &dyn SharedStore) -> (Record, Option<Cas>) {
        match store.read(&self.name) {
            Some((bytes, version)) => (Record::decode(bytes).unwrap_or_default(), Some(version)),
            None => (Record::default(), None),
        }
    }

    fn adopt(&mut self, record: Record, now: UnixTime) -> Output {
        let is_ended = record.header.state.ended() != self.state.ended();
        self.state = record.header.state;
        let held = self.state.holding(&self.source.policy, now).map(|held| &held.digest);
        let gone = if held == self.digest.as_ref() {
            Vec::new()
        } else {
            let set = held.and_then(|_| KeySet::parse(&record.body, Algorithm::ASYMMETRIC).0.ok());
            self.digest = held.cloned();
            let old = self.set.take();
            let (set, gone) = set.unwrap_or_default().instead_of(old.as_deref());
            self.set = (!set.is_empty()).then(|| Rc::new(set));
            gone
        };
        Output { is_ended, gone, ..Output::default() }
    }
}
