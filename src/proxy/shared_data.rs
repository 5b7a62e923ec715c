//! proxy-wasm's shared data, one map for all VMs of one `vm_id`.

use proxy_wasm::hostcalls;

use crate::outbound::shared_store::{Cas, CasMismatch, SharedStore};

/// The proxy's shared data.
pub(super) struct SharedData;

impl SharedStore for SharedData {
    /// An empty value is there: it has a version.
    fn get(&self, name: &str) -> Option<(Vec<u8>, Cas)> {
        let (value, cas) = hostcalls::get_shared_data(name).ok()?;
        Some((value.unwrap_or_default(), Cas(cas?)))
    }

    fn set(&self, name: &str, value: &[u8], cas: Option<Cas>) -> Result<(), CasMismatch> {
        hostcalls::set_shared_data(name, Some(value), cas.map(|cas| cas.0)).map_err(|_| CasMismatch)
    }
}
