//! The test keys. Every private half is printed in an RFC, so no secret is kept here.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{
    Digest, Sha256, Sha384, Sha512,
    digest::{FixedOutputReset, const_oid::AssociatedOid},
};
use std::convert::Infallible;

/// A key set from a list like `@rsa @p256:kid=other:use=enc`.
///
/// `member=` without a value removes the member; a lone `@` is the empty set.
pub fn jwks(spec: &str) -> String {
    let keys = spec.split_whitespace().filter(|key| *key != "@").map(listed);
    json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
}

fn listed(entry: &str) -> Value {
    let mut parts = entry.split(':');
    let name = parts.next().and_then(|name| name.strip_prefix('@'));
    let mut jwk = public_jwk(name.unwrap_or_else(|| panic!("`{entry}` lacks its `@`")));
    for part in parts {
        match part.split_once('=') {
            Some((member, "")) => drop(jwk.as_object_mut().unwrap().remove(member)),
            Some(("key_ops", value)) => jwk["key_ops"] = value.split(',').collect(),
            Some((member, value)) => jwk[member] = value.into(),
            None => panic!("`{part}` in `{entry}` is not member=value"),
        }
    }
    jwk
}

/// What an issuer publishes; for a shared secret that is the secret itself.
pub fn public_jwk(name: &str) -> Value {
    let mut jwk = private_jwk(name);
    let members = jwk.as_object_mut().unwrap();
    members.retain(|member, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&member.as_str()));
    jwk
}

/// An RSA public key as PEM text (RFC 5280 4.1.2.7), the secret of a confused verifier.
pub fn public_pem(name: &str) -> String {
    // SubjectPublicKeyInfo up to the modulus, for 2048 bits; the exponent of both keys is 65537.
    const BEFORE: &[u8] = b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\
        \x03\x82\x01\x0f\x00\x30\x82\x01\x0a\x02\x82\x01\x01\x00";
    const AFTER: &[u8] = b"\x02\x03\x01\x00\x01";
    let der = [BEFORE, &octets(&public_jwk(name), "n"), AFTER].concat();
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// The algorithm a key signs with unless told otherwise (RFC 7518 3.1, RFC 8037 3.1).
pub(crate) fn usual_alg(name: &str) -> &'static str {
    let jwk = private_jwk(name);
    match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
        (Some("RSA"), _) => "RS256",
        (Some("oct"), _) => "HS256",
        (_, Some("P-256")) => "ES256",
        (_, Some("P-384")) => "ES384",
        (_, Some("P-521")) => "ES512",
        _ => "EdDSA",
    }
}

/// The signature of `message` as a JWS carries it; a key of another kind than `alg` wants panics.
pub fn sign(name: &str, alg: &str, message: &[u8]) -> Vec<u8> {
    match alg {
        "HS256" | "HS384" | "HS512" => mac(&octets(&private_jwk(name), "k"), alg, message),
        "RS256" => pkcs1::<Sha256>(name, message),
        "RS384" => pkcs1::<Sha384>(name, message),
        "RS512" => pkcs1::<Sha512>(name, message),
        "PS256" => pss::<Sha256>(name, message),
        "PS384" => pss::<Sha384>(name, message),
        "PS512" => pss::<Sha512>(name, message),
        "ES256" => {
            let key = p256::ecdsa::SigningKey::from_slice(&scalar(name, "P-256")).unwrap();
            let signature: p256::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "ES384" => {
            let key = p384::ecdsa::SigningKey::from_slice(&scalar(name, "P-384")).unwrap();
            let signature: p384::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "ES512" => {
            let key = p521::ecdsa::SigningKey::from_slice(&scalar(name, "P-521")).unwrap();
            let signature: p521::ecdsa::Signature = key.sign(message);
            signature.to_bytes().to_vec()
        }
        "EdDSA" | "Ed25519" => {
            let seed = scalar(name, "Ed25519").try_into().unwrap();
            let key = ed25519_dalek::SigningKey::from_bytes(&seed);
            key.sign(message).to_bytes().to_vec()
        }
        _ => panic!("no test key signs with `{alg}`"),
    }
}

/// HMAC with any secret (RFC 7518 3.2).
pub(crate) fn mac(secret: &[u8], alg: &str, message: &[u8]) -> Vec<u8> {
    match alg {
        "HS256" => hmac::<Sha256>(secret, message),
        "HS384" => hmac::<Sha384>(secret, message),
        "HS512" => hmac::<Sha512>(secret, message),
        _ => panic!("`{alg}` takes no secret"),
    }
}

fn hmac<D: EagerHash>(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = Hmac::<D>::new_from_slice(secret).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

fn pkcs1<D: Digest + AssociatedOid>(name: &str, message: &[u8]) -> Vec<u8> {
    rsa(name).sign(Pkcs1v15Sign::new::<D>(), &D::digest(message)).unwrap()
}

fn pss<D: Digest + FixedOutputReset>(name: &str, message: &[u8]) -> Vec<u8> {
    rsa(name).sign_with_rng(&mut Noise(1), Pss::<D>::new(), &D::digest(message)).unwrap()
}

fn rsa(name: &str) -> RsaPrivateKey {
    let jwk = private_jwk(name);
    let number = |member| BoxedUint::from_be_slice_vartime(&octets(&jwk, member));
    let primes = vec![number("p"), number("q")];
    RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap()
}

fn scalar(name: &str, curve: &str) -> Vec<u8> {
    let jwk = private_jwk(name);
    assert_eq!(jwk["crv"], curve, "`{name}` is on another curve");
    octets(&jwk, "d")
}

/// The bytes of a base64url member.
pub fn octets(jwk: &Value, member: &str) -> Vec<u8> {
    let text = jwk[member].as_str().unwrap_or_else(|| panic!("{} has no `{member}`", jwk["kid"]));
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Salt for PSS that is the same in every run (splitmix64).
struct Noise(u64);

impl rsa::rand_core::TryRng for Noise {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(word ^ (word >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.try_next_u64()? as u8;
        }
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Noise {}

/// The key with both halves, for signing here or with a foreign library.
pub fn private_jwk(name: &str) -> Value {
    let mut jwk = match name {
        // RFC 7515 A.2
        "rsa" => json!({
            "kty": "RSA",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP\
                CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s\
                oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2\
                R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud\
                F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
            "e": "AQAB",
            "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgv\
                fTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f\
                3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQl\
                BjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuh\
                LhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
            "p": "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3\
                KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXq\
                hJTBgIPgtldC-KDV5z-y2XDwGUc",
            "q": "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZS\
                e7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ1\
                1BKBBypeeF6689rjcJIDEz9RWdc",
            "dp": "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9Ykxvu\
                xdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwr\
                A86rZtu5Mbr1C1XsmvkxHQAdYo0",
            "dq": "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB71\
                9rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ6\
                8m6_pbLBSp3nssTdlqvd0tIiTHU",
            "qi": "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2M\
                owX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh\
                6A5603k2-ZQwVK0JKSHuLFkuQ3U",
        }),
        // RFC 7520 3.4
        "rsa2" => json!({
            "kty": "RSA",
            "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTD\
                vNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5yd\
                QLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bT\
                wJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd\
                q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
            "e": "AQAB",
            "d": "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNR\
                S-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34u\
                i_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuF\
                hUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07\
                lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
            "p": "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2\
                TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhE\
                srmndH6LxOrvRJlsPp6Zv8bUq0k",
            "q": "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdq\
                DyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-\
                hdqRxHlSqAZ192zB3pVFJ0s7pFc",
            "dp": "B8PVvXkvJrj2L-GYQ7v3y9r6Kw5g9SahXBwsWUzp19TVlgI-YV85q1NIb1rxQtD-IsXXR3-T\
                anevuRPRt5OBOdiMGQp8pbt26gljYfKU_E9xn-RULHz0-ed9E9gXLKD4VGngpz-PfQ_q29pk\
                5xWHoJp009Qf1HvChixRX59ehik",
            "dq": "CLDmDGduhylc9o7r84rEUVn7pzQ6PF83Y-iBZx5NT-TpnOZKF1pErAMVeKzFEl41DlHHqqBL\
                SM0W1sOFbwTxYWZDm6sI6og5iTbwQGIC3gnJKbi_7k_vJgGHwHxgPaX2PnvP-zyEkDERuf-r\
                y4c_Z11Cq9AqC2yeL6kdKT1cYF8",
            "qi": "3PiqvXQN0zwMeE-sBvZgi289XP9XCQF3VWqPzMKnIgQp7_Tugo6-NZBKCQsMf3HaEGBjTVJs\
                _jcK8-TRXvaKe-7ZMaQj8VfBdYkssbu0NKDDhjJ-GtiseaDVWt7dcH0cfwxgFUHpQh7FoCrj\
                FJ6h6ZEpMF6xmujs4qMpPz8aaI4",
        }),
        // RFC 7515 A.3
        "p256" => json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        }),
        // RFC 6979 A.2.5, there in hex
        "p256b" => json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
            "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
            "d": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
        }),
        // RFC 6979 A.2.6, there in hex
        "p384" => json!({
            "kty": "EC",
            "crv": "P-384",
            "x": "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT",
            "y": "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg",
            "d": "a509rS4bjBwFsZh1tmWfTeI8O2Z78pe6mqR3QHhxN9iW1XJOTHCoJfhyyepg0u31",
        }),
        // RFC 7515 A.4
        "p521" => json!({
            "kty": "EC",
            "crv": "P-521",
            "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
            "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
            "d": "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C",
        }),
        // RFC 7520 3.2
        "p521b" => json!({
            "kty": "EC",
            "crv": "P-521",
            "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
            "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
            "d": "AAhRON2r9cqXX1hg-RoI6R1tX5p2rUAYdmpHZoC1XNM56KtscrX6zbKipQrCW9CGZH3T4ubpnoTKLDYJ_fF3_rJt",
        }),
        // RFC 8037 A.1
        "ed25519" => json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        }),
        // RFC 7515 A.1
        "hmac" => json!({
            "kty": "oct",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        }),
        // RFC 7520 3.5
        "hmac2" => json!({
            "kty": "oct",
            "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        }),
        _ => panic!("no test key is called `{name}`"),
    };
    jwk["kid"] = name.into();
    jwk
}
