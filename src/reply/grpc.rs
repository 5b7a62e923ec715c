//! gRPC: who speaks it, and the code that stands for an HTTP status.

use crate::request::Request;

/// Whether the proxy takes a request for gRPC, by Envoy's rule: gRPC-Web is none.
pub(super) fn is_grpc(request: &Request) -> bool {
    let kind = request.values("content-type").next().and_then(|kind| kind.strip_prefix(b"application/grpc"));
    kind.is_some_and(|rest| matches!(rest, [] | [b'+', ..]))
}

/// The code that google.rpc pairs with the status: Envoy's own mapping, but for 400, which is the client's fault and not
/// `INTERNAL`.
pub(super) fn status(http: u16) -> u8 {
    match http {
        400 => 3,
        401 => 16,
        403 => 7,
        503 => 14,
        _ => 2,
    }
}
