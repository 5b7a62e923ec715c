//! Calls to others through the clusters of the proxy, as values. Nothing here speaks to anybody: a [`call::Call`] goes out, an
//! answer comes in. It does not know what is asked.

pub mod call;
pub mod endpoint;
pub mod freshness;
pub mod refresh;
pub mod shared_store;
pub mod wait_queue;

/// The location of a source among those of a configuration.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SourceIndex(pub usize);
