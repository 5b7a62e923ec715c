//! Calls for keys: sent through a cluster of the proxy, their answers read.

use proxy_wasm::{
    hostcalls,
    types::{BufferType, MapType, Status},
};

use crate::outbound::call::{Call, CallResult, MAX_BODY_BYTES, Response};

/// Sends a call; it must be the root's, for a request's would end with the request.
///
/// # Errors
/// What became of it if it could not be sent.
pub(super) fn send(call: &Call) -> Result<u32, CallResult> {
    let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = hostcalls::dispatch_http_call(&call.cluster, headers, None, Vec::new(), call.timeout);
    sent.map_err(|status| if status == Status::BadArgument { CallResult::NoCluster } else { CallResult::Broken })
}

/// What has come, while the host is still holding it.
pub(super) fn received(headers: usize, size: usize) -> CallResult {
    if headers == 0 {
        return CallResult::Broken;
    }
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).unwrap_or_default();
    let status = headers.iter().find(|(name, _)| name == ":status").and_then(|(_, status)| {
        let status = std::str::from_utf8(status).ok()?;
        status.parse().ok()
    });
    let body = (size <= MAX_BODY_BYTES).then(|| hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size));
    let body = body.and_then(Result::ok).flatten().unwrap_or_default();
    status.map_or(CallResult::Broken, |status| CallResult::Response(Response { status, headers, size, body }))
}
