//! A provider's keys (RFC 7517, RFC 7518 section 6, RFC 8037), and what they have signed.
//!
//! A key says for which algorithms it is good by what it is: a token can never have one algorithm's key used as another's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use super::Algorithm;
use crate::json::read_once;

/// The most keys of a provider; of those beyond it nothing is known.
const MAX_KEYS: usize = 100;

/// The most bytes of an RSA key's modulus: 4,096 bits. Checking by a longer one takes long.
const MAX_MODULUS_BYTES: usize = 512;
const MIN_MODULUS_BYTES: usize = 256;
const MAX_EXPONENT_BYTES: usize = 4;

/// The keys of a provider.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<ProviderKey>);

#[derive(Debug)]
pub(super) struct ProviderKey {
    id: String,
    /// Where the key itself says for which it is.
    only: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl KeySet {
    /// What a JWK Set says; a key that is of another kind, or for something else, is left out. `None`: it is no such set.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let set = read_once(text)?;
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().filter_map(ProviderKey::of).take(MAX_KEYS).collect()))
    }

    /// The key of this id that is good for the algorithm.
    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> Option<&ProviderKey> {
        self.0.iter().find(|key| key.id == id && key.fits(algorithm))
    }
}

impl ProviderKey {
    fn of(key: &Value) -> Option<Self> {
        let text = |member| key.get(member).and_then(Value::as_str);
        let bytes = |member| URL_SAFE_NO_PAD.decode(text(member)?).ok();
        let is_to_verify = match (key.get("use"), key.get("key_ops")) {
            (None, None) => true,
            (Some(purpose), None) => purpose == "sig",
            (purpose, Some(operations)) => {
                let verifies = operations.as_array()?.iter().any(|it| it == "verify");
                verifies && purpose.is_none_or(|purpose| purpose == "sig")
            }
        };
        if !is_to_verify {
            return None;
        }
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (modulus, exponent) = (bytes("n")?, bytes("e")?);
                let fits = (MIN_MODULUS_BYTES..=MAX_MODULUS_BYTES).contains(&modulus.len())
                    && (1..=MAX_EXPONENT_BYTES).contains(&exponent.len());
                fits.then_some(Material::Rsa { modulus, exponent })?
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                let is_point = x.len() == 32 && y.len() == 32;
                is_point.then(|| Material::P256([&[4], &*x, &*y].concat()))?
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x").filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(Self { id: text("kid")?.to_owned(), only: text("alg").map(str::to_owned), material })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_of_kind = match self.material {
            Material::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        is_of_kind && self.only.as_deref().is_none_or(|only| only == algorithm.as_str())
    }

    /// Whether it has signed this so.
    pub(super) fn has_signed(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let rsa: &RsaParameters = match algorithm {
            Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            _ => &RSA_PKCS1_2048_8192_SHA256,
        };
        let verified = match &self.material {
            _ if !self.fits(algorithm) => return false,
            Material::Rsa { modulus, exponent } => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(rsa, signed, signature)
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            Material::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(signed, signature)
            }
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The keys and the signed text of RFC 7515, appendices A.2 (RS256) and A.3 (ES256), and of RFC 8037, appendix A.4 (Ed25519).
    fn examples() -> Vec<(Algorithm, Value, &'static str)> {
        let rsa = json!({"kty": "RSA", "kid": "k", "e": "AQAB", "n":
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-\
             pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg\
             665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW\
             yuXpoQ"});
        let rsa_signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
             cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1\
             dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD\
             wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe7\
             7Rw";
        let ec = json!({"kty": "EC", "crv": "P-256", "kid": "k",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let ec_signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
             DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let okp_signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
             hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        vec![
            (Algorithm::Rs256, rsa, rsa_signed),
            (Algorithm::Es256, ec, ec_signed),
            (Algorithm::EdDsa, okp, okp_signed),
        ]
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::read(json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_the_standards_have_signed_is_signed() {
        for (algorithm, key, text) in examples() {
            let (signed, signature) = text.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let keys = set(&[key]);
            let key = keys.find("k", algorithm).unwrap();
            assert!(key.has_signed(algorithm, signed.as_bytes(), &signature), "{algorithm:?}");
            assert!(!key.has_signed(algorithm, &signed.as_bytes()[1..], &signature));
            assert!(!key.has_signed(algorithm, signed.as_bytes(), &signature[1..]));
            for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
                assert!(!key.has_signed(other, signed.as_bytes(), &signature), "{other:?}");
            }
        }
    }

    #[test]
    fn a_key_is_good_for_its_own_algorithms_and_purpose() {
        for (algorithm, key, _) in examples() {
            let but = |member: &str, value: Value| {
                let mut key = key.clone();
                key[member] = value;
                set(&[key])
            };
            for (member, good) in [("use", json!("sig")), ("alg", json!(algorithm.as_str()))] {
                assert!(but(member, good).find("k", algorithm).is_some(), "{member}");
            }
            for (member, bad) in [
                ("use", json!("enc")),
                ("key_ops", json!(["sign"])),
                ("alg", json!("HS256")),
                ("kty", json!("oct")),
                ("kid", json!("another")),
                ("kid", json!(null)),
            ] {
                assert!(but(member, bad).find("k", algorithm).is_none(), "{member}");
            }
        }
    }

    #[test]
    fn a_set_with_something_strange_in_it_has_the_rest() {
        let good = examples().swap_remove(1).1;
        let secret = json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"});
        let short = json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"});
        let keys = set(&[json!(null), json!("k"), secret, short, good.clone()]);
        assert!(keys.find("k", Algorithm::Es256).is_some());
        assert!(keys.find("k", Algorithm::Rs256).is_none());
        assert_eq!(set(&vec![good; MAX_KEYS + 1]).0.len(), MAX_KEYS);
        for bad in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [], "keys": []}"#] {
            assert!(KeySet::read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
