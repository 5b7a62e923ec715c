//! The refresh of something remote: a state machine, free of I/O and clock.
//!
//! The same machine runs twice. A worker has one of its own, which nothing else can write and which bounds how often it
//! asks. The workers of a proxy share another, by which they agree on who asks next; that one may be written by anybody.
//!
//! What was fetched is given up only at the hard limit, never because a fetch began or failed. One fetch at a time; its
//! end, good or bad, sets the time before which there is no other.

use std::time::Duration;

use crate::time::UnixTime;

/// After the first failure in a row; doubled by each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while there is something cached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause while there is nothing: then every request waits for it.
const LONGEST_PAUSE_WITHOUT_CACHE: Duration = Duration::from_secs(10);
/// How far the clocks of two workers may be apart; usually it is microseconds.
const SKEW: Duration = Duration::from_secs(60);
/// What a worker may take beyond the time of its call before its lease ends.
const GRACE: Duration = Duration::from_secs(1);
/// The largest shared record that is read.
const MAX_RECORD_BYTES: usize = 1024;
/// The words of a record.
const NONE: &str = "-";
const RESTING: &str = "resting";
const FETCHING: &str = "fetching";
/// For how many cache durations a worker relies on what the others say before it asks itself.
const MAX_RELIANCE: u32 = 6;

/// The times of a refresh.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RefreshPolicy {
    /// How long one call may take, and how long a request waits (`timeout`).
    pub timeout: Duration,
    /// How long an answer is fresh at most (`jwksCacheDuration`).
    pub cache_duration: Duration,
    /// How long after an answer a demand causes no other fetch (`jwksCooldown`).
    pub cooldown: Duration,
    /// How long an answer is used since the last good one (`jwksStaleIfError`, RFC 5861 section 4).
    pub stale_if_error: Duration,
}

/// Where a refresh stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshState {
    ended: u64,
    failures: u32,
    cached: Option<Cached>,
    phase: Phase,
}

/// The last good answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cached {
    /// What it was, as 64 hexadecimal digits.
    pub digest: String,
    /// When it was last confirmed.
    pub confirmed: UnixTime,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Phase {
    /// The next fetch is due at `due`; a demand may begin one from `open` on.
    Resting { due: UnixTime, open: UnixTime },
    /// A fetch is under way; its lease ends at `until`.
    Fetching { until: UnixTime },
}

/// The right to one fetch, by how many had ended before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lease(u64);

/// What may happen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// Time goes by.
    Due,
    /// Something is needed that the last answer did not have.
    Demand,
    /// Others have found something newer: also sooner than a demand may.
    Newer,
    /// The fetch needs another call.
    NextCall(Lease),
    /// The fetch brought an answer of this digest, fresh for so long.
    Confirmed(Lease, String, Duration),
    /// The fetch failed.
    Failed(Lease),
}

impl RefreshPolicy {
    /// How long a worker that has not asked itself relies on what is said by the others: much shorter if something is
    /// missing.
    fn reliance(&self, is_missing: bool, confirmed: UnixTime) -> Duration {
        if is_missing {
            return self.cache_duration;
        }
        let longest = self.cache_duration.saturating_mul(MAX_RELIANCE);
        longest.saturating_sub(spread(longest / 5, confirmed))
    }

    /// The longest reliance there is, without the spread.
    pub fn max_reliance(&self) -> Duration {
        self.cache_duration.saturating_mul(MAX_RELIANCE)
    }

    fn lease(&self) -> Duration {
        self.timeout.saturating_add(GRACE)
    }
}

impl Default for RefreshState {
    /// Before the first fetch, which is due at once.
    fn default() -> Self {
        let start = UnixTime::from_secs(0);
        Self { ended: 0, failures: 0, cached: None, phase: Phase::Resting { due: start, open: start } }
    }
}

impl RefreshState {
    /// Reads what [`RefreshState::encode`] wrote. Anything else, and anything that can't be true now, is `None`.
    pub fn decode(bytes: &[u8], now: UnixTime) -> Option<Self> {
        let record = Some(bytes).filter(|bytes| bytes.len() <= MAX_RECORD_BYTES)?;
        let mut words = std::str::from_utf8(record).ok()?.split(' ');
        let (ended, failures) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let cached = match words.next()? {
            NONE => None,
            digest if is_digest(digest) => {
                let confirmed = time(words.next()?).filter(|confirmed| *confirmed <= now.plus(SKEW))?;
                Some(Cached { digest: digest.to_owned(), confirmed })
            }
            _ => return None,
        };
        let phase = match words.next()? {
            FETCHING => Phase::Fetching { until: time(words.next()?)? },
            RESTING => Phase::Resting { due: time(words.next()?)?, open: time(words.next()?)? },
            _ => return None,
        };
        words.next().is_none().then_some(Self { ended, failures, cached, phase })
    }

    /// The record the workers share: words, and times in microseconds. Its form has a number in its name: see
    /// [`crate::outbound::shared_store`].
    pub fn encode(&self) -> Vec<u8> {
        let micros = |time: &UnixTime| time.since(UnixTime::from_secs(0)).as_micros().try_into().unwrap_or(u64::MAX);
        let cached = match &self.cached {
            Some(Cached { digest, confirmed }) => format!("{digest} {}", micros(confirmed)),
            None => NONE.to_owned(),
        };
        let phase = match &self.phase {
            Phase::Resting { due, open } => format!("{RESTING} {} {}", micros(due), micros(open)),
            Phase::Fetching { until } => format!("{FETCHING} {}", micros(until)),
        };
        format!("{} {} {cached} {phase}", self.ended, self.failures).into_bytes()
    }

    /// What becomes of it, and the fetch to begin now, if any.
    pub fn step(self, event: Event, policy: &RefreshPolicy, now: UnixTime) -> (Self, Option<Lease>) {
        let lease = Lease(self.ended);
        match (event, &self.phase) {
            (Event::Due | Event::Demand | Event::Newer, Phase::Fetching { until })
                if reached(*until, policy.lease(), now) =>
            {
                (self.failed(policy, now), None)
            }
            (Event::Due, Phase::Resting { due, .. })
                if reached(*due, policy.cache_duration.max(LONGEST_PAUSE), now) =>
            {
                (self.fetching(policy, now), Some(lease))
            }
            (Event::Demand, Phase::Resting { open, .. })
                if self.usable(policy, now).is_some() && reached(*open, policy.cooldown.max(LONGEST_PAUSE), now) =>
            {
                (self.fetching(policy, now), Some(lease))
            }
            (Event::Demand, Phase::Resting { .. }) => self.step(Event::Due, policy, now),
            (Event::Newer, Phase::Resting { .. }) if self.failures == 0 => (self.fetching(policy, now), Some(lease)),
            (Event::Newer, Phase::Resting { .. }) => self.step(Event::Demand, policy, now),
            (Event::NextCall(of), _) if self.awaits(of) => (self.fetching(policy, now), None),
            (Event::Confirmed(of, digest, lifetime), _) if self.awaits(of) => {
                (self.confirmed(digest, lifetime, policy, now), None)
            }
            (Event::Failed(of), _) if self.awaits(of) => (self.failed(policy, now), None),
            _ => (self, None),
        }
    }

    /// Whether this is the fetch under way.
    pub fn awaits(&self, lease: Lease) -> bool {
        self.is_fetching() && lease == Lease(self.ended)
    }

    /// Whether a fetch is under way.
    pub fn is_fetching(&self) -> bool {
        matches!(self.phase, Phase::Fetching { .. })
    }

    /// The last good answer.
    pub fn cached(&self) -> Option<&Cached> {
        self.cached.as_ref()
    }

    /// The last good answer, if it is within the hard limit.
    pub fn usable(&self, policy: &RefreshPolicy, now: UnixTime) -> Option<&Cached> {
        self.cached().filter(|cached| now.since(cached.confirmed) < policy.stale_if_error)
    }

    /// Whether the last good answer is so old that a worker no longer relies on what is said by the others.
    pub fn is_overdue(&self, is_missing: bool, policy: &RefreshPolicy, now: UnixTime) -> bool {
        self.cached().is_none_or(|Cached { confirmed, .. }| {
            now.since(*confirmed) >= policy.reliance(is_missing, *confirmed) || confirmed.since(now) > SKEW
        })
    }

    /// Whether an answer is on its way, or would be on demand.
    pub fn may_bring(&self, policy: &RefreshPolicy, now: UnixTime) -> bool {
        self.is_fetching() || self.clone().step(Event::Demand, policy, now).1.is_some()
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
    pub fn next_in(&self, policy: &RefreshPolicy, now: UnixTime) -> Duration {
        match &self.phase {
            Phase::Resting { due, .. } => due.since(now).min(policy.cache_duration.max(LONGEST_PAUSE)),
            Phase::Fetching { .. } => Duration::ZERO,
        }
    }

    fn fetching(self, policy: &RefreshPolicy, now: UnixTime) -> Self {
        Self { phase: Phase::Fetching { until: now.plus(policy.lease()) }, ..self }
    }

    /// The next fetch is due somewhat before the answer is no longer fresh, so that no request ever waits for it, and not
    /// on the same second in every proxy.
    fn confirmed(self, digest: String, lifetime: Duration, policy: &RefreshPolicy, now: UnixTime) -> Self {
        let due = now.plus(lifetime.saturating_sub(spread(lifetime / 5, now)));
        Self {
            ended: self.ended.wrapping_add(1),
            failures: 0,
            cached: Some(Cached { digest, confirmed: now }),
            phase: Phase::Resting { due, open: now.plus(policy.cooldown) },
        }
    }

    fn failed(self, policy: &RefreshPolicy, now: UnixTime) -> Self {
        let longest = match self.usable(policy, now) {
            Some(_) => LONGEST_PAUSE,
            None => LONGEST_PAUSE_WITHOUT_CACHE,
        };
        let doubled = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let pause = doubled.min(longest);
        let again = now.plus(pause.saturating_sub(spread(pause / 2, now)));
        Self {
            ended: self.ended.wrapping_add(1),
            failures: self.failures.saturating_add(1),
            phase: Phase::Resting { due: again, open: again },
            ..self
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn time(text: &str) -> Option<UnixTime> {
    text.parse().ok().map(|micros| UnixTime::since_epoch(Duration::from_micros(micros)))
}

/// Whether a time has come. One much further ahead than is ever set comes from a clock that has been put back since, or
/// from somebody else; one a little further, from a worker with a later clock.
fn reached(time: UnixTime, longest: Duration, now: UnixTime) -> bool {
    now >= time || time.since(now) > longest.saturating_add(SKEW)
}

/// A part of a span, by the fraction of the second: as good as chance, for proxies tick when they like.
fn spread(span: Duration, now: UnixTime) -> Duration {
    let microseconds = now.subsec_micros() % 1000;
    (span / 1000).saturating_mul(microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_767_225_600);

    fn policy(span: Duration) -> RefreshPolicy {
        RefreshPolicy { timeout: span, cache_duration: span, cooldown: span, stale_if_error: span }
    }

    /// The bytes are read by other versions of claimgate in the same proxy: another form needs another name.
    #[test]
    fn the_record_has_these_bytes() {
        let (policy, digest) = (policy(Duration::from_secs(5)), "0a".repeat(32));
        let (state, lease) = RefreshState::default().step(Event::Due, &policy, NOW);
        assert_eq!(String::from_utf8(state.encode()).unwrap(), "0 0 - fetching 1767225606000000");
        let (state, _) = state.step(Event::Confirmed(lease.unwrap(), digest.clone(), policy.timeout), &policy, NOW);
        let record = format!("1 0 {digest} 1767225600000000 resting 1767225605000000 1767225605000000");
        assert_eq!(String::from_utf8(state.encode()).unwrap(), record);
        assert_eq!(RefreshState::decode(record.as_bytes(), NOW), Some(state));
    }

    #[test]
    fn what_cannot_be_true_is_not_read() {
        let (digest, max) = ("0a".repeat(32), u64::MAX);
        let good = format!("{max} {} {digest} 1767225660000000 resting {max} 0", u32::MAX);
        assert!(RefreshState::decode(good.as_bytes(), NOW).is_some());
        for damaged in [
            String::new(),
            format!("{good} "),
            format!(" {good}"),
            format!("{good} 0"),
            format!("{good}x"),
            good.replacen("0a", "0A", 1),
            good.replacen("0a", "", 1),
            good.replacen("1767225660000000", "1767225660000001", 1),
            good.replacen("1767225660000000", "-1", 1),
            good.replacen("4294967295", "4294967296", 1),
            good.replacen("resting", "Resting", 1),
            good.replacen("resting", "fetching", 1),
            good.replacen(&digest, NONE, 1),
            format!("0{}", " ".repeat(MAX_RECORD_BYTES)),
        ] {
            assert_eq!(RefreshState::decode(damaged.as_bytes(), NOW), None, "{damaged}");
        }
        assert_eq!(RefreshState::decode(b"0 0 - fetching \xff", NOW), None);
    }

    #[test]
    fn no_duration_is_too_long() {
        for span in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::ZERO] {
            let policy = policy(span);
            let mut state = RefreshState::default();
            for round in 0..100_u32 {
                let now = NOW.plus(Duration::from_micros(u64::from(round) * 777));
                let (next, lease) = state.step(Event::Demand, &policy, now);
                state = match lease {
                    Some(lease) if round % 2 == 0 => {
                        next.step(Event::Confirmed(lease, "0a".repeat(32), span), &policy, now).0
                    }
                    Some(lease) => next.step(Event::Failed(lease), &policy, now).0,
                    None => next,
                };
                state.next_in(&policy, now);
                policy.reliance(round % 2 == 0, now);
            }
        }
    }
}
