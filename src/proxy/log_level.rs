//! What the proxy's log would write: the SDK reads the level into an enum that has no place for Envoy's `off`.

use std::{cell::Cell, time::Duration};

use crate::time::UnixTime;

/// How long a level is taken for granted where asking for every request would be too much.
const LATELY: Duration = Duration::from_secs(1);

/// The ABI's numbers.
const DEBUG: u32 = 1;
const INFO: u32 = 2;
const WARN: u32 = 3;

/// The least that is written.
#[derive(Clone, Copy)]
pub(super) struct LogLevel(u32);

/// The level as it was lately.
#[derive(Default)]
pub(super) struct CachedLevel(Cell<Option<(UnixTime, LogLevel)>>);

impl LogLevel {
    /// The level now; a host without one hears nothing.
    pub(super) fn now() -> Self {
        let mut least = u32::MAX;
        #[expect(unsafe_code, reason = "the host writes one number into a place of its size")]
        let status = unsafe { proxy_get_log_level(&raw mut least) };
        Self(if status == 0 { least } else { u32::MAX })
    }

    pub(super) fn hears_debug(self) -> bool {
        self.0 <= DEBUG
    }

    pub(super) fn hears_info(self) -> bool {
        self.0 <= INFO
    }

    pub(super) fn hears_warn(self) -> bool {
        self.0 <= WARN
    }
}

impl CachedLevel {
    /// The level, asked for at most once a second.
    pub(super) fn level(&self, now: UnixTime) -> LogLevel {
        match self.0.get() {
            Some((asked, level)) if asked <= now && now.since(asked) < LATELY => level,
            _ => {
                let level = LogLevel::now();
                self.0.set(Some((now, level)));
                level
            }
        }
    }
}

#[expect(unsafe_code, reason = "proxy-wasm ABI 0.2.1")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_log_level(level: *mut u32) -> u32;
}
