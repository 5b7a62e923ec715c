//! Patterns of hosts.

use serde_json::Value;

#[cfg(not(target_arch = "wasm32"))]
use super::schema::Described;
use super::{at::At, pattern::report_not_a_pattern, shape::Shape};
use crate::matching::host::HostPattern;

impl Shape for HostPattern {
    fn read(value: Value, at: &mut At<'_>) -> Option<Self> {
        let written = at.written_text(value)?;
        report_no_host(at, &written);
        Self::parse(&written).map_err(|reason| report_not_a_pattern(at, &written, reason)).ok()
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn described() -> Described {
        Described::pattern(r"^[^/?# ]+$")
    }
}

/// Reports what can be no host, and so would never match.
#[inline(never)]
pub(super) fn report_no_host(at: &mut At<'_>, host: &str) {
    if host.contains(['/', '?', '#', ' ']) || host.matches(':').count() > 1 && !host.contains('[') {
        at.wrong(host, "is not a host")
            .help("write `api.example.com`, `*.example.com` or `[::1]`, with or without a port");
    }
}
