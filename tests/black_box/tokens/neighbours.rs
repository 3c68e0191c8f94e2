//! Whoever has something good is answered, whatever else comes from the address that they share.

use serde_json::json;

use super::forge::{Forge, a_pair, encoded, signature};
use crate::harness::{Answer, Database, Server};

const OPTIONS: [&str; 5] = [
    "--allow-insecure-issuers",
    "--failures-per-second",
    "1",
    "--trusted-proxies",
    "127.0.0.0/8,::1",
];

#[test]
fn tokens_sessions_and_keys_that_were_good_are_answered_beside_many_that_are_not() {
    let server = Server::start_with(&Database::fresh(), &OPTIONS);
    let forge = Forge::on(&server);
    let practice = &forge.practice;
    let from = |client: &str, key: Option<&str>| {
        let request = practice.api.with_key(key).get("/v1/appointments");
        request.header("x-forwarded-for", client).send()
    };
    let (home, office) = ("192.0.2.2", "192.0.2.1");
    from(home, Some(&forge.token())).has_status(200);
    let [known, unknown] =
        [(); 2].map(|()| server.database.key_with(&practice.tenant, &["--scopes", "appointments"]));
    from(home, Some(&known)).has_status(200);
    let made = practice.api.with_key(Some(&known)).post("/v1/browser-sessions", &json!({})).send();
    made.is(201);
    let cookie = made.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let page = |client: &str, cookie: &str| -> Answer {
        let request = practice.api.with_key(None).get("/v1/appointments");
        let request = request.header("cookie", cookie).header("sec-fetch-site", "same-origin");
        request.header("x-forwarded-for", client).send()
    };
    page(home, &cookie).has_status(200);

    let answers: Vec<Answer> = (0..100).map(|_| from(office, Some("no key"))).collect();
    answers.last().unwrap().is_refused(429, "too-many-failures");
    // All that is remembered of keys is forgotten, and looked up again.
    let issuer = json!({"issuer": "https://login.example.org", "audience": practice.tenant,
        "algorithms": ["ES256"], "grants": [{"claim": "a", "value": "b", "scopes": ["book"]}]});
    practice.api.post("/v1/issuers", &issuer).send().is(201);
    from(office, Some("no key")).is_refused(429, "too-many-failures");
    from(office, Some(&known)).has_status(200);
    from(office, Some(&forge.token())).has_status(200);
    page(office, &cookie).has_status(200);
    // What nobody has signed, or this program has never seen, costs no query.
    from(office, Some(&unknown)).is_refused(429, "too-many-failures");
    let signed =
        format!("{}.{}", encoded(forge.header().to_string()), encoded(forge.claims().to_string()));
    let forged = format!("{signed}.{}", signature(&a_pair(), &signed));
    from(office, Some(&forged)).is_refused(429, "too-many-failures");
    let of_another = Forge::but(forge.claims(), "iss", json!("https://login.example.org"));
    let of_another = forge.signed(&forge.header(), &of_another);
    from(office, Some(&of_another)).is_refused(429, "too-many-failures");
    page(office, &format!("{}x", &cookie[..cookie.len() - 1])).is_refused(429, "too-many-failures");
    from(home, Some(&forged)).is_refused(401, "invalid-token");
}
