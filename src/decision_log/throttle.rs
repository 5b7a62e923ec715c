//! Few words about many things of a kind: the first ones are told, the rest is counted, and the count is told once.

use std::time::Duration;

use crate::time::UnixTime;

/// How much may be said of each kind in a span of time, and what has been.
#[derive(Debug)]
pub struct Throttle<K> {
    most: u32,
    span: Duration,
    /// One a kind, of which something happened lately.
    windows: Vec<Window<K>>,
}

#[derive(Debug)]
struct Window<K> {
    kind: K,
    since: UnixTime,
    told: u32,
    suppressed: u64,
}

/// How many of a kind were left out, in a span that has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Suppressed<K> {
    pub kind: K,
    pub count: u64,
    /// Within how long.
    pub span: Duration,
}

impl<K: Copy + Eq> Throttle<K> {
    /// So many of each kind in each span.
    pub fn new(most: u32, span: Duration) -> Self {
        Self { most, span, windows: Vec::new() }
    }

    /// Whether to tell of one more; if not, it is counted.
    pub fn take(&mut self, kind: K, now: UnixTime) -> bool {
        let most = self.most;
        let Some(window) = self.windows.iter_mut().find(|window| window.kind == kind) else {
            let is_told = most > 0;
            self.windows.push(Window { kind, since: now, told: is_told.into(), suppressed: (!is_told).into() });
            return is_told;
        };
        let is_told = window.told < most;
        if is_told {
            window.told += 1;
        } else {
            window.suppressed = window.suppressed.saturating_add(1);
        }
        is_told
    }

    /// What was left out in spans that have ended; they begin anew. A clock that is set back ends them too.
    pub fn flush(&mut self, now: UnixTime) -> Vec<Suppressed<K>> {
        let span = self.span;
        let ended = self.windows.extract_if(.., |window| now < window.since || now.since(window.since) >= span);
        let suppressed = ended.filter(|window| window.suppressed > 0);
        suppressed.map(|window| Suppressed { kind: window.kind, count: window.suppressed, span }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: Duration = Duration::from_secs(10);

    proptest! {
        /// Each thing is told or counted, exactly once; no span hears more than its throttle; in the end nothing is owed.
        #[test]
        fn nothing_is_lost_and_nothing_said_twice(
            most in 0_u32..4,
            steps in prop::collection::vec((0_u8..3, 0_u64..6), 0..200),
        ) {
            let mut throttle = Throttle::new(most, SPAN);
            let (mut now, mut told, mut counted) = (1_000, Vec::new(), 0);
            for (kind, pause) in &steps {
                now += pause;
                counted += throttle.flush(UnixTime::from_secs(now)).iter().map(|left| left.count).sum::<u64>();
                if throttle.take(*kind, UnixTime::from_secs(now)) {
                    told.push((*kind, now));
                }
            }
            let rest = throttle.flush(UnixTime::from_secs(now + SPAN.as_secs()));
            counted += rest.iter().map(|left| left.count).sum::<u64>();
            prop_assert_eq!(told.len() + usize::try_from(counted).unwrap(), steps.len());
            prop_assert!(throttle.windows.iter().all(|window| window.suppressed == 0));
            prop_assert!(throttle.windows.is_empty());
            for kind in 0..3 {
                let times: Vec<u64> = told.iter().filter(|(told, _)| *told == kind).map(|(_, time)| *time).collect();
                // A span starts with what is told first in it, so two rations may touch but not more.
                let most = 2 * usize::try_from(most).unwrap();
                for start in &times {
                    let within = times.iter().filter(|time| (*start..start + SPAN.as_secs()).contains(time)).count();
                    prop_assert!(within <= most, "{within} of {kind} from {start} on");
                }
            }
        }

        /// The first of a kind is always told, however many others there are.
        #[test]
        fn kinds_do_not_starve_each_other(flood in 0_u32..1_000) {
            let mut throttle = Throttle::new(1, SPAN);
            for _ in 0..flood {
                throttle.take('a', UnixTime::from_secs(1));
            }
            prop_assert!(throttle.take('b', UnixTime::from_secs(1)));
        }
    }

    #[test]
    fn a_clock_set_back_ends_a_span() {
        let mut throttle = Throttle::new(1, SPAN);
        assert!(throttle.take('a', UnixTime::from_secs(1_000)));
        assert!(!throttle.take('a', UnixTime::from_secs(1_000)));
        let settled = throttle.flush(UnixTime::from_secs(5));
        assert_eq!(settled, [Suppressed { kind: 'a', count: 1, span: SPAN }]);
        assert!(throttle.take('a', UnixTime::from_secs(5)));
    }
}
