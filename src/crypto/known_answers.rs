//! Known answers: what a host must say of keys and signatures of the RFCs before it is asked about any other.

use super::{EcdsaKey, RsaKey, VerifyingKey, host::VerifySignature, question::Question};
use crate::{encoding::base64url, jose::algorithm::Algorithm};

/// What is signed, as in RFC 6979 appendix A.2.
const MESSAGE: &[u8] = b"sample";

/// The modulus of RFC 7515 section A.2.1, whose signatures these are: PKCS #1 v1.5 has one for each message and hash.
const RSA: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql\
    L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs\
    LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud\
    F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// The modulus of RFC 7520 section 3.4.
const OTHER_RSA: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMa\
    JMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6c\
    S6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd\
    q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
const RS256: &str = "lb5Mod956JBEGTTsTAVMp4DoIujUQq_2V5zyV42GX-QFd8noYtWIy_6QDvKzqfoGub_u4mmNGKXgazp6r1kV4IdvOCGmHFVI\
    WPmSZigHS98mUIwt48mz91EE6Xo_geX-mnhWbhRUzARIQKOI6u9ZZTUqjUaap_zGJP4iAFFK5-rAMEf6fKUiCzDcQstbkot7\
    dPDXQJ4hQcEK9_SfJx9ijENVdoph5eFOLIIl9-lm-I3YuL_-b6DpYC9N_bYxzGrGuCkLSiZusSmyVTFlHQrlJxJkHIuiqJoQ\
    DxqvmlTD-gBIZbfCh163qUQd1RnHoYR-B1NpGlpxKeqbp42FCHUmGA";
const RS384: &str = "ARcPLlYIV_BLwZVO3SO1dFjV3BeBcCiH2BgrfRZlJJAMp_9kfoQa8yXv2WqF7xBo-dt2OcmwP8lhtsmcdA4Zq6jC3Ckw6QGz\
    2CBek8Rc95Kui3FWZlQcuVReS7MyyESHRvdLkWYlxtnhwPtYK6hbQ4TaCrea8SKJabcAhhD4c2teRInZpJTf1lFAUST5t_5w\
    l_rP1IBewHK8CrV8mspnQcXTvjOptasJD7gwkcM2PLRYeJXD26ijeqB3VjIU_eHJTPObRx-dAzDtFNnsXU68UoQcOxjCy8rj\
    5HsN7z3akQMY410XvblyPxWuVGoa8fpGyWxxCX9iwYX5ObpGoaAnyw";
const RS512: &str = "SvlqLVB5o7Pq_JAQYofvLZCFHM4zwjbzXAQA1T5TXdfhA2viXT0ezE_ZAgHSa2ZNdVMHd1kgOlh7mnUXpP0Oh3KExJNRpzCE\
    VmfHAUAuiTWRAzKMi5V6vOVlHIJ4tybiTdhsJOpCg3Kxpd0iKWGCNzejX4mZiVBxui06KIArKUvGzuAL3iW7p_spL_rB3t1_\
    m-8JOZJ6H6sNmsqsNUN6f1saAlMGyGzmsZrKBThIpSpbcMgrD5hRdUR8X9WDifCk2vsHl88tSLIejnFTrvj0QUl2b5nC2Zxl\
    -2bdXeIobVTA1alZq8A0M9O7GycJIwlRvFdvcGax4rDZgNG58FDQow";

/// RFC 6979 section A.2.5: x, y and the signature with SHA-256.
const P256: [&str; 3] = [
    "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
    "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
    "79SLKqy2qP0RQN2c1F6B1p0sh3tWqvmRw00OqE6vNxb3yxyULWV8QdQ2x6G24p9l8-kA27mv9AZNxKsvhDrNqA",
];
/// RFC 6979 section A.2.6, with SHA-384.
const P384: [&str; 3] = [
    "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT",
    "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg",
    "lO27kqXsuKrUc25WxpGRaz-IFAZmzp-nPWTE6pWtEzyBpkgVLkSs-W423R6A-r5Gme9K6xXxeM6h_kDbJgMTjxMOdAoZYkUm\
    IDtjUdCjqU-jKcFFeG5nnnuCxxo4YorI",
];
/// RFC 6979 section A.2.7, with SHA-512.
const P521: [&str; 3] = [
    "AYlFUNB4WTLgDqojtpTyE_jDEh-G3JegTlpxZ9tOW803ESPUbkXba11TcKfyD7YzFV04_6FtK9dh3KxHS5ovUCOk",
    "AEkxAclizU0v3feCKF5kWEE5wvkbR_h_-CNU1mMPdGoooNsldBtbNKgoAIsirMI_kk-q-9TTP4HqZpVt_qor_fz1",
    "AMMo-vy9ed13hQNwxGMl2YfLUlVp-2PF07xTlQ5tTF8XTiWh7pAXtdRQYGrdFStTSTHX1OhFXMkfmxW_Bew243f6AGF8znz1\
    BkgGxGf2eNO0CA1vHMUK8myiCUFzCCgbaK8oJiPqpj5bXAcj2LjDf_B3exog-Myx3MxDmX8e4ORNpKZ6",
];

/// Whether the host accepts what is good, and refuses another message, a spoiled signature, another key and another hash.
pub(super) fn are_right(function: &dyn VerifySignature, algorithm: Algorithm) -> bool {
    answers(function, algorithm) == Some([true, false, false, false, false])
}

fn answers(function: &dyn VerifySignature, algorithm: Algorithm) -> Option<[bool; 5]> {
    let (key, other_key, signature) = known(algorithm)?;
    let mut spoiled = signature.clone();
    *spoiled.last_mut()? ^= 1;
    let good = Question::new(algorithm, &key, MESSAGE, &signature)?;
    let hash = if good.hash == "sha256" { "sha512" } else { "sha256" };
    Some([
        good.ask(function)?,
        Question { message: b"Sample", ..good.clone() }.ask(function)?,
        Question::new(algorithm, &key, MESSAGE, &spoiled)?.ask(function)?,
        Question::new(algorithm, &other_key, MESSAGE, &signature)?.ask(function)?,
        Question { hash, ..good }.ask(function)?,
    ])
}

/// A key, another one, and the signature of the message by the first.
fn known(algorithm: Algorithm) -> Option<(VerifyingKey, VerifyingKey, Vec<u8>)> {
    let rsa = |signature| Some((rsa(RSA)?, rsa(OTHER_RSA)?, base64url::decode(signature)?));
    match algorithm {
        Algorithm::Rs256 => rsa(RS256),
        Algorithm::Rs384 => rsa(RS384),
        Algorithm::Rs512 => rsa(RS512),
        Algorithm::Es256 => ecdsa(algorithm, P256),
        Algorithm::Es384 => ecdsa(algorithm, P384),
        Algorithm::Es512 => ecdsa(algorithm, P521),
        _ => None,
    }
}

fn rsa(modulus: &str) -> Option<VerifyingKey> {
    RsaKey::new(&base64url::decode(modulus)?, &[1, 0, 1]).ok().map(VerifyingKey::Rsa)
}

fn ecdsa(algorithm: Algorithm, [x, y, signature]: [&str; 3]) -> Option<(VerifyingKey, VerifyingKey, Vec<u8>)> {
    let key = EcdsaKey::new(algorithm, &base64url::decode(x)?, &base64url::decode(y)?)?;
    let other_key = EcdsaKey::generator(algorithm)?;
    Some((VerifyingKey::Ecdsa(key), VerifyingKey::Ecdsa(other_key), base64url::decode(signature)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{PureRust, Verify, host::OFFERED};

    #[test]
    fn the_crates_know_them_too() {
        for algorithm in OFFERED {
            let (key, other_key, signature) = known(algorithm).unwrap();
            assert!(PureRust.verify(algorithm, &key, MESSAGE, &signature), "{algorithm:?}");
            assert!(!PureRust.verify(algorithm, &key, b"Sample", &signature), "{algorithm:?}");
            assert!(!PureRust.verify(algorithm, &other_key, MESSAGE, &signature), "{algorithm:?}");
        }
    }
}
