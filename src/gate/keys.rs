//! The keys of a gate: what the proxy does about them, and when.

use std::rc::Rc;

use super::Gate;
use crate::{
    jose::algorithm::Algorithm,
    keys::{KeySet, UnusableKeySet, fetch::Answer, keyring::Keyring, ledger::Ledger, source::SourceIndex, turn::Turn},
    time::UnixTime,
};

impl Gate {
    /// Everything that keys are fetched from.
    pub fn keyrings(&self) -> impl Iterator<Item = &Keyring> {
        self.keyrings.iter()
    }

    /// The keys of one source.
    pub fn keyring(&self, source: SourceIndex) -> Option<&Keyring> {
        self.keyrings.get(source.0)
    }

    /// Gives every source this set, as if it had just been fetched.
    ///
    /// # Errors
    /// Why the set can't be used.
    pub fn hold(&mut self, jwks: &[u8], now: UnixTime) -> Result<(), UnusableKeySet> {
        for keyring in &mut self.keyrings {
            keyring.hold(KeySet::parse(jwks, Algorithm::ASYMMETRIC).0?, now);
        }
        Ok(())
    }

    /// Takes over the keys that the proxy has already.
    pub fn look(&mut self, ledger: &dyn Ledger, now: UnixTime) {
        for index in 0..self.keyrings.len() {
            self.turn(SourceIndex(index), |keyring| keyring.look(ledger, now));
        }
    }

    /// Lets time pass for every source; none of them holds up another.
    pub fn refresh(&mut self, ledger: &dyn Ledger, now: UnixTime) -> Vec<(SourceIndex, Turn)> {
        let indexes = (0..self.keyrings.len()).map(SourceIndex);
        indexes.map(|index| (index, self.turn(index, |keyring| keyring.turn(ledger, now)))).collect()
    }

    /// Takes the answer to the call of a source.
    pub fn deliver(&mut self, source: SourceIndex, answer: Answer, ledger: &dyn Ledger, now: UnixTime) -> Turn {
        self.turn(source, |keyring| keyring.deliver(answer, ledger, now))
    }

    fn turn(&mut self, source: SourceIndex, turn: impl FnOnce(&mut Keyring) -> Turn) -> Turn {
        let turn = self.keyrings.get_mut(source.0).map(turn).unwrap_or_default();
        if !turn.gone.is_empty() {
            self.token_cache.remove_if(|proof| turn.gone.iter().any(|key| Rc::ptr_eq(key, &proof.key)));
        }
        turn
    }
}
