//! Requests that wait for keys: bounded in number and in time, and each let go exactly once.

use crate::{outbound::SourceIndex, time::UnixTime};

/// The waiting requests of one worker.
#[derive(Debug)]
pub struct Waiting<R> {
    most: usize,
    requests: Vec<Waiter<R>>,
}

/// A request that waits.
#[derive(Debug, Eq, PartialEq)]
pub struct Waiter<R> {
    /// What the proxy calls it.
    pub id: u32,
    /// The keys it waits for.
    pub source: SourceIndex,
    /// How long.
    pub until: UnixTime,
    /// The request.
    pub request: R,
}

impl<R> Waiting<R> {
    /// Room for so many requests.
    pub fn new(most: usize) -> Self {
        Self { most, requests: Vec::new() }
    }

    /// Takes a request in.
    ///
    /// # Errors
    /// There is no room; the request is given back.
    pub fn enter(&mut self, waiter: Waiter<R>) -> Result<(), R> {
        if self.requests.len() >= self.most {
            return Err(waiter.request);
        }
        self.requests.push(waiter);
        Ok(())
    }

    /// Forgets a request that has gone away.
    pub fn leave(&mut self, id: u32) {
        self.requests.retain(|waiter| waiter.id != id);
    }

    /// Lets go of those that wait for this source, in the order they came.
    pub fn answered(&mut self, source: SourceIndex) -> Vec<Waiter<R>> {
        self.requests.extract_if(.., |waiter| waiter.source == source).collect()
    }

    /// Lets go of those that have waited long enough.
    pub fn expired(&mut self, now: UnixTime) -> Vec<Waiter<R>> {
        self.requests.extract_if(.., |waiter| waiter.until <= now).collect()
    }

    /// Whether this request waits.
    pub fn holds(&self, id: u32) -> bool {
        self.requests.iter().any(|waiter| waiter.id == id)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}
