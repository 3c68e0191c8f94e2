use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::time::{advance, sleep};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::providers::{Signed, Verdict};
use super::{Algorithm, Fetch, FetchError, IssuerUrl, Providers};

const URL: &str = "https://login.example.org/realms/one";
const KEYS: &str = "https://keys.example.org/jwks";

/// A provider of which each document can be changed, and that can be away.
#[derive(Default)]
struct Provider {
    documents: Mutex<HashMap<String, Vec<u8>>>,
    is_away: Mutex<bool>,
    asked: AtomicUsize,
    takes: Mutex<Duration>,
}

impl Provider {
    fn with_keys(keys: &[(&str, &Ed25519KeyPair)]) -> Arc<Self> {
        let provider = Self::default();
        let discovery = json!({"issuer": URL, "jwks_uri": KEYS});
        provider.says(&format!("{URL}/.well-known/openid-configuration"), &discovery);
        provider.has_keys(keys);
        Arc::new(provider)
    }

    fn says(&self, url: &str, document: &Value) {
        self.documents.lock().unwrap().insert(url.to_owned(), document.to_string().into());
    }

    fn has_keys(&self, keys: &[(&str, &Ed25519KeyPair)]) {
        let key = |(id, pair): &(&str, &Ed25519KeyPair)| {
            let x = URL_SAFE_NO_PAD.encode(pair.public_key());
            json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": x})
        };
        self.says(KEYS, &json!({"keys": keys.iter().map(key).collect::<Vec<_>>()}));
    }

    fn goes_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }

    /// How often its keys were asked for since this was asked last.
    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

struct Fetcher(Arc<Provider>);

impl Fetch for Fetcher {
    fn fetches(&self, issuer: &IssuerUrl) -> bool {
        !issuer.is_insecure()
    }

    fn fetch(&self, url: String) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        let provider = Arc::clone(&self.0);
        Box::pin(async move {
            if url != KEYS {
                provider.asked.fetch_add(1, Ordering::Relaxed);
            }
            let takes = *provider.takes.lock().unwrap();
            sleep(takes).await;
            if *provider.is_away.lock().unwrap() {
                return Err(FetchError("away".to_owned()));
            }
            let document = provider.documents.lock().unwrap().get(&url).cloned();
            document.ok_or_else(|| FetchError(format!("no {url}")))
        })
    }
}

fn a_pair() -> Ed25519KeyPair {
    let bytes = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(bytes.as_ref()).unwrap()
}

struct House {
    provider: Arc<Provider>,
    providers: Providers,
}

impl House {
    fn of(provider: Arc<Provider>) -> Self {
        let providers = Providers::new(Arc::new(Fetcher(Arc::clone(&provider))));
        Self { provider, providers }
    }

    async fn judges(&self, key_id: &str, pair: &Ed25519KeyPair) -> Verdict {
        let signature = pair.sign(b"text");
        let signed = Signed {
            key_id,
            algorithm: Algorithm::EdDsa,
            text: b"text",
            signature: signature.as_ref(),
        };
        self.providers.judge(&IssuerUrl::new(URL).unwrap(), &signed).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_once_and_its_keys_are_gone_by() {
    let pair = a_pair();
    let house = House::of(Provider::with_keys(&[("one", &pair)]));
    for _ in 0..100 {
        assert_eq!(house.judges("one", &pair).await, Verdict::Signed);
        assert_eq!(house.judges("one", &a_pair()).await, Verdict::NotSigned);
    }
    assert_eq!(house.provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_ask_a_provider_once() {
    let pair = a_pair();
    let house = House::of(Provider::with_keys(&[("one", &pair)]));
    *house.provider.takes.lock().unwrap() = Duration::from_secs(2);
    let all = (0..50).map(|_| house.judges("one", &pair));
    let verdicts = futures::future::join_all(all).await;
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Signed), "{verdicts:?}");
    assert_eq!(house.provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_that_nobody_has_have_a_provider_asked_every_ten_seconds_at_most() {
    let pair = a_pair();
    let house = House::of(Provider::with_keys(&[("one", &pair)]));
    for _ in 0..600 {
        assert_eq!(house.judges("../../other", &pair).await, Verdict::UnknownKey);
        advance(Duration::from_millis(100)).await;
    }
    let asked = house.provider.asked();
    assert!((5..=7).contains(&asked), "in a minute: {asked}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_changes_its_keys_is_followed() {
    let (old, new) = (a_pair(), a_pair());
    let house = House::of(Provider::with_keys(&[("old", &old)]));
    assert_eq!(house.judges("old", &old).await, Verdict::Signed);
    house.provider.has_keys(&[("old", &old), ("new", &new)]);
    assert_eq!(house.judges("new", &new).await, Verdict::UnknownKey, "asked a moment ago");
    advance(Duration::from_secs(10)).await;
    assert_eq!(house.judges("new", &new).await, Verdict::Signed);
    // A key that is withdrawn is none within minutes, although nobody asks for another.
    house.provider.has_keys(&[("new", &new)]);
    advance(Duration::from_mins(10)).await;
    house.judges("old", &old).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.judges("old", &old).await, Verdict::UnknownKey);
}

#[tokio::test(start_paused = true)]
async fn while_a_provider_is_away_its_keys_are_gone_by_for_a_day() {
    let pair = a_pair();
    let house = House::of(Provider::with_keys(&[("one", &pair)]));
    assert_eq!(house.judges("one", &pair).await, Verdict::Signed);
    house.provider.goes_away(true);
    for _ in 0..23 {
        advance(Duration::from_hours(1)).await;
        assert_eq!(house.judges("one", &pair).await, Verdict::Signed);
        sleep(Duration::from_secs(1)).await;
    }
    advance(Duration::from_hours(1)).await;
    assert_eq!(house.judges("one", &pair).await, Verdict::Unavailable);
    house.provider.goes_away(false);
    advance(Duration::from_secs(10)).await;
    assert_eq!(house.judges("one", &pair).await, Verdict::Signed);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_says_something_else_has_no_keys() {
    let pair = a_pair();
    let discovery = format!("{URL}/.well-known/openid-configuration");
    for (document, keys) in [
        (json!({"issuer": "https://login.example.org/realms/two", "jwks_uri": KEYS}), None),
        (json!({"issuer": format!("{URL}/"), "jwks_uri": KEYS}), None),
        (json!({"jwks_uri": KEYS}), None),
        (json!({"issuer": URL}), None),
        (json!([]), None),
        (json!({"issuer": URL, "jwks_uri": KEYS}), Some(json!({"no": "keys"}))),
    ] {
        let house = House::of(Provider::with_keys(&[("one", &pair)]));
        house.provider.says(&discovery, &document);
        if let Some(keys) = keys {
            house.provider.says(KEYS, &keys);
        }
        assert_eq!(house.judges("one", &pair).await, Verdict::Unavailable, "{document}");
        assert_eq!(house.provider.asked(), 1);
        house.judges("one", &pair).await;
        assert_eq!(house.provider.asked(), 0, "and is not asked again at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_fetched_is_not_asked_for() {
    let pair = a_pair();
    let house = House::of(Provider::with_keys(&[("one", &pair)]));
    let signature = pair.sign(b"text");
    let signed = Signed {
        key_id: "one",
        algorithm: Algorithm::EdDsa,
        text: b"text",
        signature: signature.as_ref(),
    };
    let here = IssuerUrl::new("http://127.0.0.1:1/").unwrap();
    assert_eq!(house.providers.judge(&here, &signed).await, Verdict::Unavailable);
    assert_eq!(house.provider.asked(), 0);
}
