//! A provider whose keys the test has: it says and signs whatever the test wants.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{add, an_issuer};
use crate::harness::Practice;

/// Where there is something else to be had than at the provider: it counts who comes.
pub(crate) type Documents = Arc<Mutex<HashMap<String, Value>>>;

/// A provider, and the tenant that trusts it.
pub(crate) struct Forge {
    pub(crate) practice: Practice,
    pub(crate) issuer: String,
    pub(crate) issuer_id: String,
    pub(crate) documents: Documents,
    /// How many requests there were.
    pub(crate) asked: Arc<AtomicUsize>,
    is_away: Arc<AtomicBool>,
    /// As its key is called.
    key_id: &'static str,
    pub(crate) pair: EcdsaKeyPair,
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

pub(crate) fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

pub(crate) fn a_pair() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let bytes = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, bytes.as_ref(), &random).unwrap()
}

/// How a provider tells it.
pub(crate) fn told(pair: &EcdsaKeyPair, id: &str) -> Value {
    let point = pair.public_key().as_ref();
    json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig",
           "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
}

/// What a text is signed with by this key.
pub(crate) fn signature(pair: &EcdsaKeyPair, signed: &str) -> String {
    encoded(pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap())
}

impl Forge {
    /// One that a new practice trusts.
    pub(crate) fn on(server: &crate::harness::Server) -> Self {
        let practice = Practice::on(server);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (documents, asked) = (Documents::default(), Arc::new(AtomicUsize::new(0)));
        let is_away = Arc::new(AtomicBool::new(false));
        let answers = (Arc::clone(&documents), Arc::clone(&asked), Arc::clone(&is_away));
        thread::spawn(move || answer(&listener, &answers.0, &answers.1, &answers.2));
        let pair = a_pair();
        let body = an_issuer(&issuer, &practice.tenant);
        let issuer_id = add(&practice.api, &body).is(201)["id"].as_str().unwrap().to_owned();
        let forge =
            Self { practice, issuer, issuer_id, documents, asked, is_away, key_id: "one", pair };
        let jwks = format!("{}/jwks", forge.issuer);
        let discovery = json!({"issuer": forge.issuer, "jwks_uri": jwks});
        forge.says("/.well-known/openid-configuration", &discovery);
        forge.says("/jwks", &json!({"keys": [told(&forge.pair, forge.key_id)]}));
        forge
    }

    pub(crate) fn says(&self, path: &str, document: &Value) {
        self.documents.lock().unwrap().insert(path.to_owned(), document.clone());
    }

    /// From now on it hangs up on whoever asks.
    pub(crate) fn goes_away(&self) {
        self.is_away.store(true, Ordering::Relaxed);
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key_id})
    }

    pub(crate) fn claims(&self) -> Value {
        json!({"iss": self.issuer, "aud": self.practice.tenant, "sub": "somebody@example.org",
               "iat": now(), "exp": now() + 600, "client_id": "a", "jti": "b",
               "scope": "daybook:read"})
    }

    /// What it has signed.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_text(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn signed_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        format!("{signed}.{}", signature(&self.pair, &signed))
    }

    /// The same, by whoever has a secret.
    pub(crate) fn with_secret(header: &Value, claims: &Value, secret: &[u8]) -> String {
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
        format!("{signed}.{}", encoded(tag))
    }

    pub(crate) fn token(&self) -> String {
        self.signed(&self.header(), &self.claims())
    }

    pub(crate) fn but(mut object: Value, member: &str, value: Value) -> Value {
        object[member] = value;
        object
    }
}

fn answer(
    listener: &TcpListener,
    documents: &Documents,
    asked: &AtomicUsize,
    is_away: &AtomicBool,
) {
    for mut client in listener.incoming().map_while(Result::ok) {
        asked.fetch_add(1, Ordering::Relaxed);
        if is_away.load(Ordering::Relaxed) {
            continue;
        }
        let mut head = vec![0; 8_192];
        let read = client.read(&mut head).unwrap_or_default();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let document = documents.lock().unwrap().get(path).cloned();
        let (status, body) = match document {
            // A document that is a text is where it is.
            Some(Value::String(location)) => {
                (format!("302 Found\r\nlocation: {location}"), String::new())
            }
            Some(document) => ("200 OK".to_owned(), document.to_string()),
            None => ("404 Not Found".to_owned(), String::new()),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let _ = client.write_all(answer.as_bytes());
    }
}
