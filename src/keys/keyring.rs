//! One worker's hold on a remote key set: the keys to verify with now, and its part in getting newer ones.
//!
//! What all workers know stands in the [`Ledger`]; whoever first writes there that a fetch is due is the one to make it.

use std::{rc::Rc, time::Duration};

use super::{
    KeySet,
    fetch::{Answer, Call},
    flight::{Find, Flight, Stage},
    freshness,
    ledger::{Ledger, Version},
    life::{Event, Life, Ticket},
    record::{Header, Record},
    source::{Endpoint, Place, Source},
    turn::{Brought, Report, Turn},
};
use crate::{jose::algorithm::Algorithm, time::UnixTime};

/// How long metadata are believed without asking again, as long as the keys are where they say.
const METADATA_LIFETIME: Duration = Duration::from_secs(3600);
/// How often a worker tries again when others write at the same time.
const MOST_ATTEMPTS: usize = 8;

/// The keys of one source on one worker.
#[derive(Debug)]
pub struct Keyring {
    source: Source,
    name: String,
    life: Life,
    set: Option<Rc<KeySet>>,
    /// Of the set's bytes.
    digest: Option<String>,
    flight: Option<Flight>,
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

impl Keyring {
    /// A keyring without keys so far.
    pub fn new(source: Source) -> Self {
        // The number is that of the record's form: another version of claimgate keeps its own.
        let name = format!("claimgate.keys.1.{}", source.fingerprint());
        Self { source, name, life: Life::default(), set: None, digest: None, flight: None, is_missed: false }
    }

    /// Takes a set from whoever has it already, as if it had just been fetched: at a desk nobody fetches.
    pub fn hold(&mut self, set: KeySet, now: UnixTime) {
        let terms = self.source.terms;
        if let (life, Some(ticket)) = Life::default().step(Event::Due, &terms, now) {
            self.life = life.step(Event::Brought(ticket, String::new(), terms.cache_duration), &terms, now).0;
            self.set = Some(Rc::new(set));
        }
    }

    /// Whose keys they are.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The keys to verify with; none before the first good answer and beyond the hard limit.
    pub fn current(&self, now: UnixTime) -> Option<&Rc<KeySet>> {
        self.set.as_ref().filter(|_| self.life.holding(&self.source.terms, now).is_some())
    }

    /// How long ago the issuer last confirmed the keys.
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.life.holding(&self.source.terms, now).map(|held| now.since(held.confirmed))
    }

    /// Asks for newer keys than these, on behalf of a token whose key is not among them.
    pub fn ask_for_newer(&mut self, now: UnixTime) -> Outlook {
        if self.life.may_bring(&self.source.terms, now) {
            self.is_missed = true;
            Outlook::Wait
        } else if self.life.failures() > 0 || self.current(now).is_none() {
            Outlook::Unavailable
        } else {
            Outlook::Settled
        }
    }

    /// How long until there may be newer ones.
    pub fn next_in(&self, now: UnixTime) -> Duration {
        self.life.next_in(now)
    }

    /// Takes over what others know, without a part in it.
    pub fn look(&mut self, ledger: &dyn Ledger, now: UnixTime) -> Turn {
        self.write(ledger, now, &mut |_| None).0
    }

    /// Takes over what others know, and begins a fetch if one is due or a key was missed.
    pub fn turn(&mut self, ledger: &dyn Ledger, now: UnixTime) -> Turn {
        let terms = self.source.terms;
        let event = if std::mem::take(&mut self.is_missed) { Event::Demand } else { Event::Due };
        let (mut turn, ticket) = self.write(ledger, now, &mut |record| {
            let (life, ticket) = record.header.life.clone().step(event.clone(), &terms, now);
            record.header.life = life;
            ticket
        });
        if let Some((ticket, header)) = ticket {
            turn.call = Some(self.begin(ticket, &header, now));
        }
        turn
    }

    /// Reads the answer to the call that was made last.
    pub fn deliver(&mut self, answer: Answer, ledger: &dyn Ledger, now: UnixTime) -> Turn {
        let Some(Flight { ticket, stage, since }) = self.flight.take() else { return Turn::default() };
        let terms = self.source.terms;
        let find = answer.response(now.since(since), terms.timeout).and_then(|response| stage.read(response));
        let event = match &find {
            Ok(Find::Place(_)) => Event::Onward(ticket),
            Ok(Find::Set(digest, response, ..) | Find::Same(digest, response)) => {
                Event::Brought(ticket, digest.clone(), freshness::lifetime(response, &terms))
            }
            Err(_) => Event::Failed(ticket),
        };
        let old = self.digest.clone();
        let mut is_timely = false;
        let (mut turn, _) = self.write(ledger, now, &mut |record| {
            is_timely = record.header.life.awaits(ticket);
            if is_timely {
                record.header.life = record.header.life.clone().step(event.clone(), &terms, now).0;
                record.note(&find, now);
            }
            None
        });
        if !is_timely {
            // The others have given this worker up, and its answer with it.
            return turn;
        }
        let Endpoint { cluster, .. } = stage.endpoint();
        let (url, cluster) = (stage.endpoint().url(), cluster.clone());
        let outcome = match find {
            Ok(Find::Place(keys)) => {
                turn.call = Some(Call::to(&keys, terms.timeout, &[]));
                self.flight = Some(Flight { ticket, stage: Stage::Keys(keys, None), since: now });
                return turn;
            }
            Ok(Find::Set(digest, _, set, skipped)) if old.as_ref() != Some(&digest) => {
                Ok(Brought::New(set.len(), skipped))
            }
            Ok(Find::Set(..) | Find::Same(..)) => Ok(Brought::Same),
            Err(error) => Err(error),
        };
        turn.report = Some(Report { url, cluster, outcome, next_in: self.life.next_in(now) });
        turn
    }

    fn begin(&mut self, ticket: Ticket, header: &Header, now: UnixTime) -> Call {
        let found = header.found.as_ref().filter(|(_, when)| now.since(*when) < METADATA_LIFETIME);
        let stage = match &self.source.place {
            Place::Uri(endpoint) => Stage::Keys(endpoint.clone(), self.digest.clone()),
            Place::Discovery(discovery) => match found.and_then(|(url, _)| discovery.keys_at(url)) {
                Some(endpoint) => Stage::Keys(endpoint, self.digest.clone()),
                None => Stage::Metadata(discovery.clone()),
            },
        };
        let validators = match &stage {
            Stage::Keys(_, Some(_)) => header.validators.headers(),
            _ => Vec::new(),
        };
        let call = Call::to(stage.endpoint(), self.source.terms.timeout, &validators);
        self.flight = Some(Flight { ticket, stage, since: now });
        call
    }

    /// Changes the record, unless there is nothing to change, and takes over what it says.
    fn write(
        &mut self,
        ledger: &dyn Ledger,
        now: UnixTime,
        change: &mut dyn FnMut(&mut Record) -> Option<Ticket>,
    ) -> (Turn, Option<(Ticket, Header)>) {
        for _ in 0..MOST_ATTEMPTS {
            let (mut record, version) = self.read(ledger);
            let before = record.header.clone();
            let ticket = change(&mut record);
            let is_written =
                record.header == before && version.is_some() || ledger.write(&self.name, &record.encode(), version);
            if is_written {
                let header = record.header.clone();
                return (self.adopt(record, now), ticket.map(|ticket| (ticket, header)));
            }
        }
        // Everybody writes at once: there is another turn soon.
        (Turn::default(), None)
    }

    fn read(&self, ledger: &dyn Ledger) -> (Record, Option<Version>) {
        match ledger.read(&self.name) {
            Some((bytes, version)) => (Record::decode(bytes).unwrap_or_default(), Some(version)),
            None => (Record::default(), None),
        }
    }

    fn adopt(&mut self, record: Record, now: UnixTime) -> Turn {
        let is_ended = record.header.life.ended() != self.life.ended();
        self.life = record.header.life;
        let held = self.life.holding(&self.source.terms, now).map(|held| &held.digest);
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
        Turn { is_ended, gone, ..Turn::default() }
    }
}
