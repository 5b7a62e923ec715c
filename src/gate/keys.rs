//! The keys of a gate: what the proxy does about them, and when.

use std::rc::Rc;

use super::Gate;
use crate::{
    jose::algorithm::Algorithm,
    keys::{KeySet, UnusableKeySet},
    oauth::{output::Output, remote_jwks::RemoteJwks},
    outbound::wait_queue::StreamId,
    outbound::{SourceIndex, call::CallResult, shared_store::SharedStore},
    time::UnixTime,
};

impl Gate {
    /// Everything that keys are fetched from.
    pub fn remote_jwks(&self) -> impl Iterator<Item = &RemoteJwks> {
        self.remote_jwks.iter()
    }

    /// The keys of one source.
    pub fn remote(&self, source: SourceIndex) -> Option<&RemoteJwks> {
        self.remote_jwks.get(source.0)
    }

    /// Gives every source this set, as if it had just been fetched.
    ///
    /// # Errors
    /// Why the set can't be used.
    pub fn preload(&mut self, jwks: &[u8], now: UnixTime) -> Result<(), UnusableKeySet> {
        for remote in &mut self.remote_jwks {
            remote.preload(KeySet::parse(jwks, Algorithm::ASYMMETRIC).0?, now);
        }
        Ok(())
    }

    /// Takes over the keys that the proxy has already.
    pub fn sync(&mut self, store: &dyn SharedStore, now: UnixTime) {
        for index in 0..self.remote_jwks.len() {
            self.update(SourceIndex(index), |remote| remote.sync(store, now));
        }
    }

    /// Lets time pass for every source; none of them holds up another.
    pub fn poll(&mut self, store: &dyn SharedStore, now: UnixTime) -> Vec<(SourceIndex, Output)> {
        let indexes = (0..self.remote_jwks.len()).map(SourceIndex);
        indexes.map(|index| (index, self.update(index, |remote| remote.poll(store, now)))).collect()
    }

    /// Takes the result to the call of a source.
    pub fn deliver(
        &mut self,
        source: SourceIndex,
        result: CallResult,
        store: &dyn SharedStore,
        now: UnixTime,
    ) -> Output {
        self.update(source, |remote| remote.deliver(result, store, now))
    }

    /// The requests that wait for a fetch of this source, to be decided again when it has ended.
    pub fn waiting_for(&self, source: SourceIndex) -> Vec<StreamId> {
        self.waiting.of(source)
    }

    fn update(&mut self, source: SourceIndex, update: impl FnOnce(&mut RemoteJwks) -> Output) -> Output {
        let output = self.remote_jwks.get_mut(source.0).map(update).unwrap_or_default();
        if !output.gone.is_empty() {
            self.token_cache.remove_if(|proof| output.gone.iter().any(|key| Rc::ptr_eq(key, &proof.key)));
        }
        output
    }
}
