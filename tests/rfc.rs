//! Examples of the RFCs: the halves of the test keys match, our signer makes the printed signatures, and every backend accepts
//! them.
#![cfg(test)]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use claimgate::{
    crypto::{Host, HostCrypto, PureRust, Verify},
    jose::algorithm::Algorithm,
    keys::Key,
};
use claimgate_testing::{
    crates::Crates,
    keys::{octets, private_jwk, public_jwk, public_pem, sign},
    token::{Recipe, hex},
};
use serde_json::Value;

/// RFC 7515 A.1.1, including the line breaks.
const JOE: &str = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/// RFC 7520 4, including the apostrophes.
const FRODO: &str = "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, \
    and if you don't keep your feet, there\u{2019}s no knowing where you might be swept off to.";

fn printed(key: &str, alg: &str, header: &str, payload: &str) -> String {
    let recipe = Recipe {
        key: Some(key.into()),
        alg: Some(alg.into()),
        raw_header: Some(header.into()),
        raw_payload: Some(payload.into()),
        ..Recipe::default()
    };
    recipe.sign(0)
}

fn message(header: &str, payload: &str) -> String {
    format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(payload))
}

fn signature(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn point(jwk: &Value) -> Vec<u8> {
    [vec![4], octets(jwk, "x"), octets(jwk, "y")].concat()
}

/// Every backend accepts the printed signature, and none accepts it for a message that is one byte longer.
fn convinces(key: &str, algorithm: &str, message: &str, signature: &[u8]) {
    let algorithm = Algorithm::named(algorithm).unwrap();
    let key = Key::parse(&public_jwk(key), &[algorithm]).unwrap();
    let longer = format!("{message}.");
    let host = Host::probe(Crates, HostCrypto::Auto);
    let backends: [(&str, &dyn Verify); 2] = [("pure Rust", &PureRust), ("host", &host)];
    for (name, backend) in backends {
        assert!(backend.verify(algorithm, key.verifying_key(), message.as_bytes(), signature), "{name}");
        assert!(!backend.verify(algorithm, key.verifying_key(), longer.as_bytes(), signature), "{name}");
    }
}

fn compact_convinces(key: &str, algorithm: &str, compact: &str) {
    let (message, printed) = compact.rsplit_once('.').unwrap();
    convinces(key, algorithm, message, &signature(printed));
}

/// `sign` compares the RSA halves: it rejects a `d`, `p` or `q` that does not match `n` and `e`.
#[test]
fn the_public_half_follows_from_the_private() {
    for name in ["p256", "p256b"] {
        let jwk = private_jwk(name);
        let key = p256::ecdsa::SigningKey::from_slice(&octets(&jwk, "d")).unwrap();
        assert_eq!(key.verifying_key().to_sec1_point(false).as_bytes(), point(&jwk), "{name}");
    }
    let jwk = private_jwk("p384");
    let key = p384::ecdsa::SigningKey::from_slice(&octets(&jwk, "d")).unwrap();
    assert_eq!(key.verifying_key().to_sec1_point(false).as_bytes(), point(&jwk));
    for name in ["p521", "p521b"] {
        let jwk = private_jwk(name);
        let key = p521::ecdsa::SigningKey::from_slice(&octets(&jwk, "d")).unwrap();
        assert_eq!(key.verifying_key().to_sec1_point(false).as_bytes(), point(&jwk), "{name}");
    }
    let jwk = private_jwk("ed25519");
    let key = ed25519_dalek::SigningKey::from_bytes(&octets(&jwk, "d").try_into().unwrap());
    assert_eq!(key.verifying_key().as_bytes().as_slice(), octets(&jwk, "x"));
}

#[test]
fn nothing_private_is_published() {
    for name in ["rsa", "rsa2", "p256", "p256b", "p384", "p521", "p521b", "ed25519"] {
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(public_jwk(name).get(member).is_none(), "{name}: {member}");
        }
    }
}

#[test]
fn rfc_7515_a_1_hs256() {
    let compact = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(printed("hmac", "HS256", "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", JOE), compact);
    compact_convinces("hmac", "HS256", compact);
}

#[test]
fn rfc_7515_a_2_rs256() {
    let compact = "eyJhbGciOiJSUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
        AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
        BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
        0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
        hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
        p0igcN_IoypGlUPQGe77Rw";
    assert_eq!(printed("rsa", "RS256", r#"{"alg":"RS256"}"#, JOE), compact);
    compact_convinces("rsa", "RS256", compact);
}

#[test]
fn rfc_7515_a_3_es256() {
    let printed = signature("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    convinces("p256", "ES256", &message(r#"{"alg":"ES256"}"#, JOE), &printed);
}

#[test]
fn rfc_7515_a_4_es512() {
    let printed = signature(
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq\
         wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp\
         EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
    );
    convinces("p521", "ES512", &message(r#"{"alg":"ES512"}"#, "Payload"), &printed);
}

#[test]
fn rfc_7520_4_1_rs256() {
    let printed = signature(
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx\
         996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHR\
         D68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrD\
         aLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH8\
         4ogoree7vjbU5y18kDquDg",
    );
    let message = message(r#"{"alg":"RS256","kid":"bilbo.baggins@hobbiton.example"}"#, FRODO);
    assert_eq!(sign("rsa2", "RS256", message.as_bytes()), printed);
    convinces("rsa2", "RS256", &message, &printed);
}

#[test]
fn rfc_7520_4_2_ps384() {
    let printed = signature(
        "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsG\
         qDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8Z\
         nyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8c\
         BE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmW\
         jwZ6oD4ifKo8DYM-X72Eaw",
    );
    let message = message(r#"{"alg":"PS384","kid":"bilbo.baggins@hobbiton.example"}"#, FRODO);
    convinces("rsa2", "PS384", &message, &printed);
}

#[test]
fn rfc_7520_4_3_es512() {
    let printed = signature(
        "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4V\
         a2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8\
         OcGDqoRuBomu9xQ2",
    );
    let message = message(r#"{"alg":"ES512","kid":"bilbo.baggins@hobbiton.example"}"#, FRODO);
    convinces("p521b", "ES512", &message, &printed);
}

#[test]
fn rfc_7520_4_4_hs256() {
    let message = message(r#"{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"}"#, FRODO);
    let printed = signature("s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0");
    assert_eq!(sign("hmac2", "HS256", message.as_bytes()), printed);
    convinces("hmac2", "HS256", &message, &printed);
}

/// A.2.5 with SHA-256 and A.2.6 with SHA-384, over `sample`.
#[test]
fn rfc_6979_a_2() {
    let es256 = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716 \
        F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
    let es384 = "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46 \
        99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8";
    for (key, algorithm, printed) in [("p256b", "ES256", hex(es256)), ("p384", "ES384", hex(es384))] {
        assert_eq!(sign(key, algorithm, b"sample"), printed);
        convinces(key, algorithm, "sample", &printed);
    }
}

#[test]
fn rfc_8037_a_4_eddsa() {
    let compact = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(printed("ed25519", "EdDSA", r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing"), compact);
    compact_convinces("ed25519", "EdDSA", compact);
}

#[test]
fn the_pem_text_has_the_outline_of_a_public_key() {
    let pem = public_pem("rsa");
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"));
    assert!(pem.ends_with("IDAQAB\n-----END PUBLIC KEY-----\n"));
}
