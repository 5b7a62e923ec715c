//! The state of a remote key set: one state machine for all workers of a proxy, free of I/O and clock.
//!
//! Keys once had are left only at the hard limit, never because a fetch began or failed. One fetch at a time; what it
//! brings, good or bad, sets the time before which there is no other.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// The times a key set lives by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefreshPolicy {
    /// How long one call may take, and how long a request waits (`timeout`).
    pub timeout: Duration,
    /// How long a set is fresh at most (`jwksCacheDuration`).
    pub cache_duration: Duration,
    /// How long after an answer unknown keys cause no other fetch (`jwksCooldown`).
    pub cooldown: Duration,
    /// How long a set is used since the last good answer (`jwksStaleIfError`, RFC 5861 section 4).
    pub stale_if_error: Duration,
}

/// Where a key set stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefreshState {
    ended: u64,
    failures: u32,
    held: Option<Cached>,
    phase: Phase,
}

/// A set that was had.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cached {
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
pub struct Lease(u64);

/// What may happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Time goes by.
    Due,
    /// A token names a key that the set does not have.
    Demand,
    /// The fetch needs another call.
    NextCall(Lease),
    /// The fetch brought a set that is fresh for so long, by the digest of its bytes.
    Brought(Lease, String, Duration),
    /// The fetch failed.
    Failed(Lease),
}

impl Default for RefreshState {
    /// Before the first fetch, which is due at once.
    fn default() -> Self {
        let start = UnixTime::from_secs(0);
        Self { ended: 0, failures: 0, held: None, phase: Phase::Resting { due: start, open: start } }
    }
}

impl RefreshState {
    /// What becomes of it, and the fetch to begin now, if any.
    pub fn step(self, event: Event, policy: &RefreshPolicy, now: UnixTime) -> (Self, Option<Lease>) {
        let lease = Lease(self.ended);
        match (event, &self.phase) {
            (Event::Due | Event::Demand, Phase::Fetching { until }) if reached(*until, policy.timeout + GRACE, now) => {
                (self.failed(policy, now), None)
            }
            (Event::Due, Phase::Resting { due, .. })
                if reached(*due, policy.cache_duration.max(LONGEST_PAUSE), now) =>
            {
                (self.fetching(policy, now), Some(lease))
            }
            (Event::Demand, Phase::Resting { open, .. })
                if self.holding(policy, now).is_some() && reached(*open, policy.cooldown.max(LONGEST_PAUSE), now) =>
            {
                (self.fetching(policy, now), Some(lease))
            }
            (Event::Demand, Phase::Resting { .. }) => self.step(Event::Due, policy, now),
            (Event::NextCall(of), _) if self.awaits(of) => (self.fetching(policy, now), None),
            (Event::Brought(of, digest, lifetime), _) if self.awaits(of) => {
                (self.brought(digest, lifetime, policy, now), None)
            }
            (Event::Failed(of), _) if self.awaits(of) => (self.failed(policy, now), None),
            _ => (self, None),
        }
    }

    /// Whether this is the fetch under way.
    pub fn awaits(&self, lease: Lease) -> bool {
        matches!(self.phase, Phase::Fetching { .. }) && lease == Lease(self.ended)
    }

    /// The set to verify with, if there is one within the hard limit.
    pub fn holding(&self, policy: &RefreshPolicy, now: UnixTime) -> Option<&Cached> {
        self.held.as_ref().filter(|held| now.since(held.confirmed) < policy.stale_if_error)
    }

    /// Whether keys are on their way, or would be if somebody missed one.
    pub fn may_bring(&self, policy: &RefreshPolicy, now: UnixTime) -> bool {
        match &self.phase {
            Phase::Fetching { .. } => true,
            Phase::Resting { .. } => self.clone().step(Event::Demand, policy, now).1.is_some(),
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

    fn fetching(self, policy: &RefreshPolicy, now: UnixTime) -> Self {
        Self { phase: Phase::Fetching { until: now.plus(policy.timeout + GRACE) }, ..self }
    }

    /// The next fetch is due somewhat before the set is no longer fresh, so that nobody ever waits for it, and not on
    /// the same second in every proxy.
    fn brought(self, digest: String, lifetime: Duration, policy: &RefreshPolicy, now: UnixTime) -> Self {
        let due = now.plus(lifetime - spread(lifetime / 5, now));
        Self {
            ended: self.ended.saturating_add(1),
            failures: 0,
            held: Some(Cached { digest, confirmed: now }),
            phase: Phase::Resting { due, open: now.plus(policy.cooldown) },
        }
    }

    fn failed(self, policy: &RefreshPolicy, now: UnixTime) -> Self {
        let longest = match self.holding(policy, now) {
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
