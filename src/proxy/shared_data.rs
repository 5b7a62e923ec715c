//! What the workers of the proxy share: proxy-wasm's shared data, one map for all VMs of one `vm_id`.

use proxy_wasm::hostcalls;

use crate::keys::ledger::{Ledger, Version};

/// The proxy's shared data.
pub(super) struct SharedData;

impl Ledger for SharedData {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Version)> {
        match hostcalls::get_shared_data(name) {
            Ok((Some(value), Some(version))) => Some((value, Version(version))),
            _ => None,
        }
    }

    fn write(&self, name: &str, value: &[u8], over: Option<Version>) -> bool {
        hostcalls::set_shared_data(name, Some(value), over.map(|version| version.0)).is_ok()
    }
}
