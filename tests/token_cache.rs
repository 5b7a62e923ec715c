//! The token cache holds to its bound in bytes, whatever a token looks like: the memory is counted, not estimated.
#![cfg(test)]
#![allow(unsafe_code, reason = "an allocator that counts is unsafe")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

use claimgate::{
    config::Config,
    gate::{Gate, Step},
    outbound::wait_queue::StreamId,
    request::Request,
    time::UnixTime,
};
use claimgate_testing::{case::Peer, keys, token::Recipe};
use serde_json::json;

struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it counts, and leaves the rest to the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOW: u64 = 1_767_225_600;
const PROMISED: usize = 8 * 1024 * 1024;

/// Payloads that take many times their text, each of about so many bytes.
fn payloads(bytes: usize) -> Vec<(&'static str, String)> {
    let many = |element: &str| vec![element; bytes / (element.len() + 1)].join(",");
    let names = |value: &str| {
        let member = |number: usize| format!(r#""{number:x}":{value}"#);
        (0..bytes / (value.len() + 8)).map(member).collect::<Vec<_>>().join(",")
    };
    let nested = vec![r#"{"a":"#.repeat(90) + "1" + &"}".repeat(90); bytes / 560 + 1].join(",");
    vec![
        ("objects of one member", format!("[{}]", many(r#"{"a":1}"#))),
        ("objects of no member", format!("[{}]", many("{}"))),
        ("numbers", format!("[{}]", many("1"))),
        ("texts", format!("[{}]", many(r#""a""#))),
        ("empty lists", format!("[{}]", many("[]"))),
        ("lists of one", format!("[{}]", many("[0]"))),
        ("members", format!("{{{}}}", names("0"))),
        ("members that are objects", format!("{{{}}}", names(r#"{"a":{}}"#))),
        ("members that are texts", format!("{{{}}}", names(r#""x""#))),
        ("objects in objects", format!("[{nested}]")),
        ("one long text", format!(r#""{}""#, "x".repeat(bytes))),
    ]
}

fn token(payload: &str, number: usize) -> String {
    let exp = NOW + 300;
    let raw = format!(r#"{{"iss":"https://idp.example.com","exp":{exp},"jti":"{number}","x":{payload}}}"#);
    let recipe =
        Recipe { key: Some("ed25519".into()), alg: Some("EdDSA".into()), raw_payload: Some(raw), ..Recipe::default() };
    recipe.sign(NOW)
}

#[test]
fn a_full_cache_takes_no_more_than_it_promises() {
    for bytes in [500, 40_000] {
        for (name, payload) in payloads(bytes) {
            let config = json!({
                "maxTokenBytes": 1024 * 1024,
                "jwtRules": [{"issuer": "https://idp.example.com", "jwks": keys::jwks("@ed25519"), "presence": "REQUIRED"}],
            });
            let mut gate = Gate::new(Config::parse(config.to_string().as_bytes()).unwrap().0);
            let before = ALLOCATED.load(Ordering::Relaxed);
            let text = token(&payload, 0).len();
            let count = (16 * 1024 * 1024 / (text + 4096)).clamp(4, 600);
            for number in 0..count {
                let token = token(&payload, number);
                let headers = [(":path", "/".into()), ("authorization", format!("Bearer {token}"))];
                let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes())).to_vec();
                let decision =
                    gate.admit(StreamId(0), &Request::new(headers), &Peer::default(), UnixTime::from_secs(NOW));
                assert!(matches!(decision.step, Step::Forward(_)), "{name}: {:?}", decision.step);
            }
            let taken = ALLOCATED.load(Ordering::Relaxed).saturating_sub(before);
            assert!(taken <= PROMISED, "{count} tokens of {text} bytes with {name}: {taken} bytes");
        }
    }
}
