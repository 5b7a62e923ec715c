//! What the proxy's log would write: the SDK reads the level into an enum that has no place for Envoy's `off`.

/// Debug in the ABI.
const DEBUG: u32 = 1;

/// Whether a debug line would be written.
pub(super) fn hears_debug() -> bool {
    let mut least = u32::MAX;
    #[expect(unsafe_code, reason = "the host writes one number into a place of its size")]
    let status = unsafe { proxy_get_log_level(&raw mut least) };
    status == 0 && least <= DEBUG
}

#[expect(unsafe_code, reason = "proxy-wasm ABI 0.2.1")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_log_level(level: *mut u32) -> u32;
}
