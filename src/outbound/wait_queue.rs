//! The requests that wait for a fetch: bounded for each source, and each decided exactly once.
//!
//! What waits is a name: the proxy still has the request, and gives it again when it is decided again.

use std::time::Duration;

use super::SourceIndex;
use crate::time::UnixTime;

/// What the proxy calls a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StreamId(pub u32);

/// The waiting requests of one worker.
#[derive(Debug)]
pub struct WaitQueue {
    /// The most that wait for one source: a source that does not answer takes no room from others.
    most: usize,
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    stream: StreamId,
    source: SourceIndex,
    until: UnixTime,
}

/// Why a request does not wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoWait {
    /// As many wait for this source as may.
    Full,
    /// It has waited long enough.
    Expired,
}

impl WaitQueue {
    /// With room for so many requests a source.
    pub fn new(most: usize) -> Self {
        Self { most, waiters: Vec::new() }
    }

    /// Has a request wait for a source, for as long as this since it first waited.
    ///
    /// # Errors
    /// It may not wait; then it is no longer in the queue.
    pub fn wait(
        &mut self,
        stream: StreamId,
        source: SourceIndex,
        timeout: Duration,
        now: UnixTime,
    ) -> Result<(), NoWait> {
        let until = self.leave(stream).unwrap_or_else(|| now.plus(timeout));
        if until <= now {
            return Err(NoWait::Expired);
        }
        if self.waiters.iter().filter(|waiter| waiter.source == source).count() >= self.most {
            return Err(NoWait::Full);
        }
        self.waiters.push(Waiter { stream, source, until });
        Ok(())
    }

    /// Forgets a request that is decided or gone; until when it would have waited.
    pub fn leave(&mut self, stream: StreamId) -> Option<UnixTime> {
        let place = self.waiters.iter().position(|waiter| waiter.stream == stream)?;
        Some(self.waiters.remove(place).until)
    }

    /// The requests that wait for this source, in the order they came. They are in the queue until they are decided.
    pub fn of(&self, source: SourceIndex) -> Vec<StreamId> {
        self.waiters.iter().filter(|waiter| waiter.source == source).map(|waiter| waiter.stream).collect()
    }

    /// The requests that have waited long enough.
    pub fn expired(&self, now: UnixTime) -> Vec<StreamId> {
        self.waiters.iter().filter(|waiter| waiter.until <= now).map(|waiter| waiter.stream).collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    const START: UnixTime = UnixTime::from_secs(100);
    const SLOW: SourceIndex = SourceIndex(0);
    const GOOD: SourceIndex = SourceIndex(1);

    #[test]
    fn a_source_that_does_not_answer_takes_no_room_from_another() {
        let mut queue = WaitQueue::new(2);
        for stream in 0..10 {
            let _ = queue.wait(StreamId(stream), SLOW, TIMEOUT, START);
        }
        assert_eq!(queue.of(SLOW), [StreamId(0), StreamId(1)]);
        assert_eq!(queue.wait(StreamId(11), SLOW, TIMEOUT, START), Err(NoWait::Full));
        assert_eq!(queue.wait(StreamId(12), GOOD, TIMEOUT, START), Ok(()));
    }

    #[test]
    fn who_waits_again_waits_no_longer() {
        let mut queue = WaitQueue::new(2);
        assert_eq!(queue.wait(StreamId(0), SLOW, TIMEOUT, START), Ok(()));
        let later = START.plus(Duration::from_secs(4));
        assert_eq!(queue.wait(StreamId(0), GOOD, TIMEOUT, later), Ok(()));
        assert_eq!((queue.of(SLOW), queue.of(GOOD)), (vec![], vec![StreamId(0)]));
        assert_eq!(queue.expired(later), []);
        let end = START.plus(TIMEOUT);
        assert_eq!(queue.expired(end), [StreamId(0)]);
        assert_eq!(queue.wait(StreamId(0), GOOD, TIMEOUT, end), Err(NoWait::Expired));
        assert!(queue.is_empty());
    }

    #[test]
    fn who_has_left_is_not_decided() {
        let mut queue = WaitQueue::new(2);
        assert_eq!(queue.wait(StreamId(0), SLOW, TIMEOUT, START), Ok(()));
        queue.leave(StreamId(0));
        assert_eq!((queue.of(SLOW), queue.len()), (vec![], 0));
    }

    proptest! {
        /// Beside a plain list: a request is in the queue until it is decided or gone, once, and no source holds more than may.
        #[test]
        fn it_is_as_a_plain_list(ops in prop::collection::vec((0_u8..4, 0_u32..12, 0_usize..3, 0_u64..4), 1..200)) {
            let (mut queue, mut model, mut now) = (WaitQueue::new(3), Vec::<(u32, usize, UnixTime)>::new(), START);
            for (op, stream, source, seconds) in ops {
                match op {
                    0 | 1 => {
                        let began = model.iter().position(|waiter| waiter.0 == stream).map(|place| model.remove(place).2);
                        let until = began.unwrap_or(now.plus(TIMEOUT));
                        let is_full = model.iter().filter(|waiter| waiter.1 == source).count() == 3;
                        let expected = match (until <= now, is_full) {
                            (true, _) => Err(NoWait::Expired),
                            (false, true) => Err(NoWait::Full),
                            (false, false) => Ok(()),
                        };
                        if expected.is_ok() {
                            model.push((stream, source, until));
                        }
                        prop_assert_eq!(queue.wait(StreamId(stream), SourceIndex(source), TIMEOUT, now), expected);
                    }
                    2 => {
                        queue.leave(StreamId(stream));
                        model.retain(|waiter| waiter.0 != stream);
                    }
                    _ => now = now.plus(Duration::from_secs(seconds)),
                }
                let expired = model.iter().filter(|waiter| waiter.2 <= now).map(|waiter| StreamId(waiter.0));
                prop_assert!(queue.expired(now).into_iter().eq(expired));
                let waiting = model.iter().filter(|waiter| waiter.1 == source).map(|waiter| StreamId(waiter.0));
                prop_assert!(queue.of(SourceIndex(source)).into_iter().eq(waiting));
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
