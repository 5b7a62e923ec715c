//! A host that verifies signatures may answer as it likes: what it says oddly never makes a bad signature good, nor a good one bad.
#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};

use claimgate::{
    crypto::{Host, HostCrypto, PureRust, Verify, VerifySignature},
    jose::algorithm::Algorithm,
    keys::Key,
};
use claimgate_testing::{
    crates::Crates,
    keys::{public_jwk, sign},
};

const OFFERED: [(&str, &str); 6] =
    [("RS256", "rsa"), ("RS384", "rsa"), ("RS512", "rsa"), ("ES256", "p256"), ("ES384", "p384"), ("ES512", "p521")];

/// The answers of a host that is right until it has been probed, and says this afterwards.
#[derive(Debug)]
struct Turncoat {
    calls: AtomicUsize,
    later: Option<Vec<u8>>,
}

impl Turncoat {
    const PROBE: usize = 6 * 5;

    fn saying(later: Option<&[u8]>) -> Self {
        Self { calls: AtomicUsize::new(0), later: later.map(<[u8]>::to_vec) }
    }
}

impl VerifySignature for Turncoat {
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < Self::PROBE {
            Crates.call(arguments)
        } else {
            self.later.clone()
        }
    }
}

/// A host that always says this.
#[derive(Debug)]
struct Saying(Option<&'static [u8]>);

impl VerifySignature for Saying {
    fn call(&self, _arguments: &[u8]) -> Option<Vec<u8>> {
        self.0.map(<[u8]>::to_vec)
    }
}

/// A host that is right but for one hash.
#[derive(Debug)]
struct Without(&'static [u8]);

impl VerifySignature for Without {
    fn call(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        (!arguments.starts_with(self.0)).then(|| Crates.call(arguments)).flatten()
    }
}

const YES: &[u8] = b"\x08\x01";
const NO: &[u8] = b"\x12\x26Failed to verify digest. Error code: 0";

#[test]
fn an_odd_answer_leaves_the_decision_to_the_crates() {
    let odd: [Option<&[u8]>; 8] = [
        None,
        Some(b""),
        Some(b"\x08"),
        Some(b"\x08\x02"),
        Some(b"\x08\x01\x00"),
        Some(b"\x12\x23Failed to initialize digest verify."),
        Some(b"\x12\x18sha256 is not supported."),
        Some(b"yes"),
    ];
    for later in odd {
        let host = Host::probe(Turncoat::saying(later), HostCrypto::Auto);
        assert_eq!(host.algorithms().len(), 6);
        for (name, key) in OFFERED {
            let algorithm = Algorithm::named(name).unwrap();
            let parsed = Key::parse(&public_jwk(key), &[algorithm]).unwrap();
            let signature = sign(key, name, b"message");
            assert!(host.verify(algorithm, parsed.verifying_key(), b"message", &signature), "{name} {later:?}");
            assert!(!host.verify(algorithm, parsed.verifying_key(), b"massage", &signature), "{name} {later:?}");
        }
    }
}

/// The host is asked: else this test would show nothing about the others.
#[test]
fn a_plain_answer_counts() {
    for (later, expected) in [(YES, true), (NO, false)] {
        let host = Host::probe(Turncoat::saying(Some(later)), HostCrypto::Auto);
        for (name, key) in OFFERED {
            let algorithm = Algorithm::named(name).unwrap();
            let parsed = Key::parse(&public_jwk(key), &[algorithm]).unwrap();
            let signature = sign(key, name, b"message");
            assert_eq!(host.verify(algorithm, parsed.verifying_key(), b"message", &signature), expected, "{name}");
        }
    }
}

/// A host that would say yes to anything is not asked about what our own rules refuse.
#[test]
fn what_our_rules_refuse_never_reaches_the_host() {
    let host = Host::probe(Turncoat::saying(Some(YES)), HostCrypto::Auto);
    for (name, key) in OFFERED {
        let algorithm = Algorithm::named(name).unwrap();
        let parsed = Key::parse(&public_jwk(key), &[algorithm]).unwrap();
        let verifies = |signature: &[u8]| host.verify(algorithm, parsed.verifying_key(), b"message", signature);
        let good = sign(key, name, b"message");
        assert!(!verifies(b""), "{name}");
        assert!(!verifies(&good[1..]), "{name}");
        assert!(!verifies(&[&good, [0].as_slice()].concat()), "{name}");
        if name.starts_with('E') {
            let half = good.len() / 2;
            let with = |r: &[u8], s: &[u8]| verifies(&[r, s].concat());
            assert!(!with(&vec![0; half], &good[half..]), "{name}: r = 0");
            assert!(!with(&good[..half], &vec![0; half]), "{name}: s = 0");
            assert!(!with(&vec![0xff; half], &good[half..]), "{name}: r > n");
            assert!(!with(&good[..half], &vec![0xff; half]), "{name}: s > n");
        }
        for (other, _) in OFFERED.iter().filter(|(other, _)| other.chars().next() != name.chars().next()) {
            let other = Algorithm::named(other).unwrap();
            assert!(!host.verify(other, parsed.verifying_key(), b"message", &good), "{name} as {other:?}");
        }
        for other in [Algorithm::Ps256, Algorithm::EdDsa, Algorithm::Hs256] {
            assert!(!host.verify(other, parsed.verifying_key(), b"message", &good), "{name} as {other:?}");
        }
    }
}

#[test]
fn a_host_that_fails_the_probe_is_not_asked() {
    for answer in [None, Some(YES), Some(NO), Some(b"".as_slice())] {
        let host = Host::probe(Saying(answer), HostCrypto::Auto);
        assert!(host.algorithms().is_empty() && host.is_lacking(), "{answer:?}");
        assert_eq!(
            host.to_string(),
            "hostCrypto: the host has no usable `verify_signature`, so the module verifies all signatures"
        );
    }
    let host = Host::probe(Without(b"\x0a\x06sha384"), HostCrypto::Auto);
    assert_eq!(host.to_string(), "hostCrypto: the host verifies RS256, RS512, ES256, ES512, but not RS384, ES384");
}

#[test]
fn off_does_not_even_probe() {
    let host = Host::probe(Saying(Some(YES)), HostCrypto::Off);
    assert!(host.algorithms().is_empty() && !host.is_lacking());
    assert_eq!(host.to_string(), "hostCrypto: it is off, so the module verifies all signatures");
    let key = Key::parse(&public_jwk("p256"), &[Algorithm::Es256]).unwrap();
    let verdict = |message| {
        let signature = sign("p256", "ES256", b"message");
        let verdict = host.verify(Algorithm::Es256, key.verifying_key(), message, &signature);
        assert_eq!(verdict, PureRust.verify(Algorithm::Es256, key.verifying_key(), message, &signature));
        verdict
    };
    assert!(verdict(b"message") && !verdict(b"massage"));
}
