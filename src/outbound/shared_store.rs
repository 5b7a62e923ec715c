//! What the workers of a proxy know together.

/// A value's version, by which a worker sees whether another was faster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cas(pub u32);

/// Shared values by name, written only over what was read.
pub trait SharedStore {
    /// The value, and its version.
    fn read(&self, name: &str) -> Option<(Vec<u8>, Cas)>;

    /// Replaces the value, unless it is of another version by now; without a version it is the first one. Whether it was
    /// replaced.
    fn write(&self, name: &str, value: &[u8], over: Option<Cas>) -> bool;
}
