//! What the workers of the proxy share: proxy-wasm's shared data, one map for all VMs of one `vm_id`.

use proxy_wasm::hostcalls;

use crate::outbound::shared_store::{Cas, SharedStore};

/// The proxy's shared data.
pub(super) struct SharedData;

impl SharedStore for SharedData {
    fn read(&self, name: &str) -> Option<(Vec<u8>, Cas)> {
        match hostcalls::get_shared_data(name) {
            Ok((Some(value), Some(cas))) => Some((value, Cas(cas))),
            _ => None,
        }
    }

    fn write(&self, name: &str, value: &[u8], over: Option<Cas>) -> bool {
        hostcalls::set_shared_data(name, Some(value), over.map(|cas| cas.0)).is_ok()
    }
}
