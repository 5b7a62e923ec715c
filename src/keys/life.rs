//! The life of a remote key set: one state machine for all workers of a proxy, free of I/O and clock.
//!
//! Keys once had are left only at the hard limit, never because a fetch began or failed. One fetch at a time; what it
//! brings, good or bad, sets the time before which there is no other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::source::Terms;
use crate::time::UnixTime;

/// After the first failure in a row; doubled by each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while there are keys to go on with.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause while there are none: then everybody waits for them.
const LONGEST_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(10);
/// How far the clock of one worker's turn may be behind that of another's; in truth it is microseconds.
const SKEW: Duration = Duration::from_secs(60);
/// What a worker may take beyond the time of its call before the others give it up for gone.
const GRACE: Duration = Duration::from_secs(1);

/// Where a key set stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Life {
    ended: u64,
    failures: u32,
    held: Option<Held>,
    phase: Phase,
}

/// A set that was had.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    /// Of the bytes of the set.
    pub digest: String,
    /// When the issuer last said that this is its set.
    pub confirmed: UnixTime,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Phase {
    /// The next fetch is due at `due`; who misses a key may have one from `open` on.
    Resting { due: UnixTime, open: UnixTime },
    /// One worker is at it, and gone if it has not been heard of by `until`.
    Fetching { until: UnixTime },
}

/// A fetch, by how many had ended before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket(u64);

/// What may happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Time goes by.
    Due,
    /// A token names a key that the set does not have.
    Demand,
    /// The fetch needs another call.
    Onward(Ticket),
    /// The fetch brought a set that is fresh for so long, by the digest of its bytes.
    Brought(Ticket, String, Duration),
    /// The fetch failed.
    Failed(Ticket),
}

impl Default for Life {
    /// Before the first fetch, which is due at once.
    fn default() -> Self {
        let start = UnixTime::from_secs(0);
        Self { ended: 0, failures: 0, held: None, phase: Phase::Resting { due: start, open: start } }
    }
}

impl Life {
    /// What becomes of it, and the fetch to begin now, if any.
    pub fn step(self, event: Event, terms: &Terms, now: UnixTime) -> (Self, Option<Ticket>) {
        let ticket = Ticket(self.ended);
        match (event, &self.phase) {
            (Event::Due | Event::Demand, Phase::Fetching { until }) if reached(*until, terms.timeout + GRACE, now) => {
                (self.failed(terms, now), None)
            }
            (Event::Due, Phase::Resting { due, .. }) if reached(*due, terms.cache_duration.max(LONGEST_PAUSE), now) => {
                (self.fetching(terms, now), Some(ticket))
            }
            (Event::Demand, Phase::Resting { open, .. })
                if self.holding(terms, now).is_some() && reached(*open, terms.cooldown.max(LONGEST_PAUSE), now) =>
            {
                (self.fetching(terms, now), Some(ticket))
            }
            (Event::Demand, Phase::Resting { .. }) => self.step(Event::Due, terms, now),
            (Event::Onward(of), _) if self.awaits(of) => (self.fetching(terms, now), None),
            (Event::Brought(of, digest, lifetime), _) if self.awaits(of) => {
                (self.brought(digest, lifetime, terms, now), None)
            }
            (Event::Failed(of), _) if self.awaits(of) => (self.failed(terms, now), None),
            _ => (self, None),
        }
    }

    /// Whether this is the fetch under way.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        matches!(self.phase, Phase::Fetching { .. }) && ticket == Ticket(self.ended)
    }

    /// The set to verify with, if there is one within the hard limit.
    pub fn holding(&self, terms: &Terms, now: UnixTime) -> Option<&Held> {
        self.held.as_ref().filter(|held| now.since(held.confirmed) < terms.stale_if_error)
    }

    /// Whether keys are on their way, or would be if somebody missed one.
    pub fn may_bring(&self, terms: &Terms, now: UnixTime) -> bool {
        match &self.phase {
            Phase::Fetching { .. } => true,
            Phase::Resting { .. } => self.clone().step(Event::Demand, terms, now).1.is_some(),
        }
    }

    /// How many fetches have ended: who waits for one knows by it that it is over.
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// How many fetches have failed since the last good one.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How long until the next fetch.
    pub fn next_in(&self, now: UnixTime) -> Duration {
        match &self.phase {
            Phase::Resting { due, .. } => due.since(now),
            Phase::Fetching { .. } => Duration::ZERO,
        }
    }

    fn fetching(self, terms: &Terms, now: UnixTime) -> Self {
        Self { phase: Phase::Fetching { until: now.plus(terms.timeout + GRACE) }, ..self }
    }

    /// The next fetch is due somewhat before the set is no longer fresh, so that nobody ever waits for it, and not on
    /// the same second in every proxy.
    fn brought(self, digest: String, lifetime: Duration, terms: &Terms, now: UnixTime) -> Self {
        let due = now.plus(lifetime - spread(lifetime / 5, now));
        Self {
            ended: self.ended.saturating_add(1),
            failures: 0,
            held: Some(Held { digest, confirmed: now }),
            phase: Phase::Resting { due, open: now.plus(terms.cooldown) },
        }
    }

    fn failed(self, terms: &Terms, now: UnixTime) -> Self {
        let longest = match self.holding(terms, now) {
            Some(_) => LONGEST_PAUSE,
            None => LONGEST_PAUSE_WITHOUT_KEYS,
        };
        let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let pause = doubled.min(longest);
        let again = now.plus(pause - spread(pause / 2, now));
        Self {
            ended: self.ended.saturating_add(1),
            failures: self.failures.saturating_add(1),
            phase: Phase::Resting { due: again, open: again },
            ..self
        }
    }
}

/// Whether a time has come. One much further ahead than is ever set comes from a clock that has been put back since; one a
/// little further, from a worker who has read a later clock.
fn reached(time: UnixTime, longest: Duration, now: UnixTime) -> bool {
    now >= time || time.since(now) > longest + SKEW
}

/// A part of a span, by the fraction of the second: as good as chance, for proxies tick when they like.
fn spread(span: Duration, now: UnixTime) -> Duration {
    let microseconds = now.subsec_micros() % 1000;
    (span / 1000).saturating_mul(microseconds)
}
