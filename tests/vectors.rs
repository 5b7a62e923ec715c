//! Third-party signatures with every backend: Wycheproof's vectors for the algorithms of JWS. `tests/envoy/host_crypto.rs` has them
//! verified by Envoy.
#![cfg(test)]

use claimgate::{
    crypto::{Host, HostCrypto, PureRust, Verify},
    jose::algorithm::Algorithm,
};
use claimgate_testing::{
    crates::Crates,
    vectors::{self, List},
};

fn judge(lists: &[List], least: usize) {
    let host = Host::probe(Crates, HostCrypto::Auto);
    assert_eq!(host.algorithms().len(), 6);
    let backends: [(&str, &dyn Verify); 2] = [("pure Rust", &PureRust), ("host", &host)];
    for list in lists {
        assert!(list.vectors.len() > least, "{} has {} vectors", list.name, list.vectors.len());
        for vector in &list.vectors {
            for (name, backend) in backends {
                let verdict = backend.verify(vector.algorithm, &vector.key, &vector.message, &vector.signature);
                assert_eq!(verdict, vector.is_valid, "{name}: {} is valid: {}", vector.name, vector.is_valid);
            }
        }
    }
}

#[test]
fn rsa_pkcs1() {
    judge(&vectors::rsa_pkcs1(), 100);
}

#[test]
fn rsa_pss() {
    judge(&vectors::rsa_pss(), 30);
}

/// A PS256 signature has a salt with the length of the hash.
#[test]
fn rsa_pss_with_another_salt() {
    for vector in vectors::rsa_pss_without_salt().vectors.iter().filter(|vector| vector.is_valid) {
        assert!(!PureRust.verify(Algorithm::Ps256, &vector.key, &vector.message, &vector.signature), "{}", vector.name);
    }
}

#[test]
fn ecdsa_p1363() {
    judge(&vectors::ecdsa_p1363(), 200);
}

#[test]
fn ed25519() {
    judge(&[vectors::ed25519()], 100);
}

#[test]
fn hmac() {
    judge(&vectors::hmac(), 50);
}
