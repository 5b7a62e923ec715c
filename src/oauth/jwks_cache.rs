//! What one VM has fetched itself, by source: only code of this VM writes here, so it is believed.
//!
//! It outlives a configuration: the next one of the same VM goes on with the keys there are.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::{Rc, Weak},
};

use super::jwks_source::JwksSource;
use crate::{
    keys::KeySet,
    outbound::{call::Validators, endpoint::Endpoint, refresh::RefreshState},
    time::UnixTime,
};

/// The fetched key sets of a VM.
#[derive(Debug, Default)]
pub struct JwksCache {
    sets: HashMap<String, Weak<RefCell<CachedJwks>>>,
}

/// One fetched key set; by default none.
#[derive(Debug, Default)]
pub(super) struct CachedJwks {
    /// This VM's own fetches. The set's digest and when the issuer last confirmed it to this VM are in it.
    pub(super) state: RefreshState,
    pub(super) set: Option<Rc<KeySet>>,
    /// The last set of others, by its digest, that made this VM ask.
    pub(super) followed: Option<String>,
    /// Whether the last fetch did not wait for the cooldown because of that; the next one does.
    pub(super) is_ahead: bool,
    pub(super) validators: Validators,
    /// Where the issuer's metadata said that its keys are, and when.
    pub(super) location: Option<(Endpoint, UnixTime)>,
}

impl JwksCache {
    /// What was fetched from this source, shared by all that ask for the same. It lasts as long as one of them does.
    pub(super) fn entry(&mut self, source: &JwksSource) -> Rc<RefCell<CachedJwks>> {
        self.sets.retain(|_, set| set.strong_count() > 0);
        let entry = self.sets.entry(source.identity()).or_default();
        entry.upgrade().unwrap_or_else(|| {
            let cached = Rc::default();
            *entry = Rc::downgrade(&cached);
            cached
        })
    }
}
