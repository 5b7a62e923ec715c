//! The proxy's clock.

use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;

use crate::time::UnixTime;

/// The time. A clock before 1970 is broken: then every token has expired.
pub(super) fn now() -> UnixTime {
    let since_epoch = hostcalls::get_current_time().ok().and_then(|now| now.duration_since(UNIX_EPOCH).ok());
    UnixTime::since_epoch(since_epoch.unwrap_or(Duration::MAX))
}
