//! Envoy's foreign function `verify_signature`: the SDK's own call panics on a status that it does not know.

use std::ptr;

use crate::crypto::VerifySignature;

const NAME: &[u8] = b"verify_signature";

/// The function of the proxy at hand.
#[derive(Debug)]
pub(super) struct ForeignFunction;

impl VerifySignature for ForeignFunction {
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        let (mut results, mut results_size) = (ptr::null_mut(), 0);
        #[expect(unsafe_code, reason = "the host reads each buffer within its length and keeps none")]
        let status = unsafe {
            proxy_call_foreign_function(
                NAME.as_ptr(),
                NAME.len(),
                arguments.as_ptr(),
                arguments.len(),
                &raw mut results,
                &raw mut results_size,
            )
        };
        if results.is_null() {
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "the host had the SDK allocate this as a `Vec` of that capacity, and gave it away"
        )]
        let answer = unsafe { Vec::from_raw_parts(results, results_size, results_size) };
        (status == 0).then_some(answer)
    }
}

#[expect(unsafe_code, reason = "proxy-wasm ABI 0.2.1")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        results: *mut *mut u8,
        results_size: *mut usize,
    ) -> u32;
}
