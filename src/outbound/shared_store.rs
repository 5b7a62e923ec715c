//! What the workers of a proxy share: values by name, written only over what was read (compare and swap).
//!
//! Whatever else runs in the proxy may write there, so nothing that is read is believed. The form of a value has a number
//! in its name: two versions of claimgate in one proxy leave each other's values alone.

/// The version of a value, as proxy-wasm's shared data have it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cas(pub u32);

/// Another write was faster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CasMismatch;

/// Shared values by name.
pub trait SharedStore {
    /// The value and its version.
    fn get(&self, name: &str) -> Option<(Vec<u8>, Cas)>;

    /// Replaces the value of this version; without one it is the first.
    ///
    /// # Errors
    /// The value has another version by now.
    fn set(&self, name: &str, value: &[u8], cas: Option<Cas>) -> Result<(), CasMismatch>;
}

/// How often a write is tried again when others write at the same time.
const MAX_ATTEMPTS: usize = 8;

/// Changes a value by what it is, or leaves it, and says what came of it.
///
/// # Errors
/// Others wrote first, time after time.
pub fn update<T>(
    store: &dyn SharedStore,
    name: &str,
    mut change: impl FnMut(Option<&[u8]>) -> Option<(Vec<u8>, T)>,
) -> Result<Option<T>, CasMismatch> {
    for _ in 0..MAX_ATTEMPTS {
        let (before, cas) = store.get(name).unzip();
        let Some((after, outcome)) = change(before.as_deref()) else { return Ok(None) };
        if store.set(name, &after, cas).is_ok() {
            return Ok(Some(outcome));
        }
    }
    Err(CasMismatch)
}
