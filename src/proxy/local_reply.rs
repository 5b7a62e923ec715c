//! Answers with response-code details: the SDK's own call leaves them out.

use std::ptr;

use crate::reply::Reply;

/// Headers as the ABI takes them: count, then each pair's lengths, then each name and value with a NUL behind.
fn serialize(headers: &[(&str, String)]) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = Vec::from(size(headers.len()));
    for (name, value) in headers {
        bytes.extend(size(name.len()));
        bytes.extend(size(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value.as_str()]) {
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Sends a reply instead of the request.
pub(super) fn send(reply: &Reply) {
    let headers = serialize(&reply.headers);
    #[expect(unsafe_code, reason = "the host reads each buffer within its length and keeps none")]
    let status = unsafe {
        proxy_send_local_response(
            u32::from(reply.status),
            reply.details.as_ptr(),
            reply.details.len(),
            if reply.body.is_empty() { ptr::null() } else { reply.body.as_ptr() },
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            reply.grpc_status.map_or(-1, i32::from),
        )
    };
    if status != 0 {
        // Nothing was sent, but the request stays paused: it fails closed.
        log::error!("the host refused to reply: status {status}");
    }
}

#[expect(unsafe_code, reason = "proxy-wasm ABI 0.2.1, which the SDK covers but for the details")]
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_send_local_response(
        status_code: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}
