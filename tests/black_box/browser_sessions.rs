//! `/v1/browser-sessions`: whoever has shown a key or a token is known by a cookie for a while.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Api, Database, Practice, Request, Server, a_practice, id_of, monday};
use crate::keys::ending::{PATIENCE, end_of, ends};
use crate::tokens::forge::{Forge, now};
use crate::tokens::{holder, server};

const ITEM: &str = "/v1/browser-sessions/";

/// A page of the program's own, in a browser that has a cookie.
struct Page {
    api: Api,
    cookie: String,
    id: String,
}

fn make(api: &Api) -> Answer {
    api.post("/v1/browser-sessions", &json!({})).send()
}

/// The cookie's name and value.
#[track_caller]
fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {answer:#?}"));
    set.split(';').next().unwrap().to_owned()
}

impl Page {
    /// One who signs in by this key or token.
    #[track_caller]
    fn of(api: &Api) -> Self {
        let answer = make(api);
        let id = id_of(&answer.is(201));
        Self { api: api.with_key(None), cookie: cookie(&answer), id }
    }

    /// What the page asks.
    fn asks(&self, method: &str, path: &str) -> Request {
        self.elsewhere(method, path).header("sec-fetch-site", "same-origin")
    }

    /// What is asked with its cookie, of which nothing says from where.
    fn elsewhere(&self, method: &str, path: &str) -> Request {
        self.api.request(method, path).header("cookie", &self.cookie)
    }

    fn reads(&self) -> Answer {
        self.asks("GET", "/v1/appointments").send()
    }
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("no instant in {value}")).parse().unwrap()
}

#[test]
fn a_page_is_known_by_its_cookie_as_whoever_signed_in() {
    let practice = a_practice();
    let answer = make(&practice.api);
    let made = answer.is(201);
    let set = answer.header("set-cookie").unwrap();
    for attribute in
        ["__Host-daybook=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=43200"]
    {
        assert!(set.split("; ").any(|it| it.starts_with(attribute)), "{attribute}: {set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(instant(&made["expires_at"]) - instant(&made["created_at"]), TimeDelta::hours(12));
    assert_eq!(made["scopes"].as_array().unwrap().len(), 9, "{made}");
    let secret = cookie(&answer).split_once('=').unwrap().1.to_owned();
    assert!(!answer.text.contains(&secret), "no page reads it: {answer:#?}");

    let page = Page { api: practice.api.with_key(None), cookie: cookie(&answer), id: id_of(&made) };
    page.reads().is(200);
    let booking = practice.booking(monday(9, 0)).body;
    let booked = page.asks("POST", "/v1/appointments").json(&booking).send().is(201);
    let events = practice.api.get(&format!("/v1/appointments/{}/events", id_of(&booked)));
    let key = practice.api.key().unwrap();
    let actor = events.send().is(200)["items"][0]["metadata"]["actor"].clone();
    let keys = practice.api.get("/v1/keys").send().is(200);
    assert_eq!(actor, format!("key:{}", keys["items"][0]["id"].as_str().unwrap()), "{key}");
}

/// What a page is good for is what its key is good for, at that moment.
#[test]
fn a_session_is_good_for_no_more_than_its_key() {
    let practice = a_practice();
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", "availability"]);
    let page = Page::of(&practice.api.with_key(Some(&key)));
    page.asks("GET", "/v1/services").send().is(200);
    page.reads().is_refused(403, "insufficient-scope");
    // And another tenant's things are not there.
    let theirs = a_practice();
    let path = format!("/v1/services/{}", theirs.service);
    page.asks("GET", &path).send().is_refused(404, "not-found");
}

/// And within what it is limited to.
#[test]
fn a_session_is_limited_as_its_key_is() {
    let practice = a_practice();
    let booked = practice.booked(monday(9, 0));
    let other = practice.a_room();
    let path = format!("/v1/appointments/{}", id_of(&booked));
    for (room, status) in [(&practice.room, 200), (&other, 404)] {
        let options = ["--scopes", "appointments", "--resource", room];
        let key = Server::shared().database.key_with(&practice.tenant, &options);
        let page = Page::of(&practice.api.with_key(Some(&key)));
        page.asks("GET", &path).send().has_status(status);
        page.asks("GET", "/v1/browser-sessions").send().has_status(200);
    }
}

#[test]
fn what_another_sites_page_has_a_browser_ask_is_refused() {
    let practice = a_practice();
    let page = Page::of(&practice.api);
    let client = json!({"name": "Somebody"});
    let post = || page.elsewhere("POST", "/v1/clients").json(&client);
    let get = || page.elsewhere("GET", "/v1/appointments");
    let host = practice.api.url.trim_start_matches("http://").to_owned();
    for (name, value, reads, changes) in [
        ("sec-fetch-site", "same-origin", true, true),
        ("sec-fetch-site", "none", true, false),
        ("sec-fetch-site", "same-site", false, false),
        ("sec-fetch-site", "cross-site", false, false),
        ("origin", &*format!("https://{host}"), true, true),
        ("origin", "https://evil.example", false, false),
        ("origin", &*format!("https://{host}.evil.example"), false, false),
        ("origin", "null", false, false),
        ("x-nothing", "said", true, false),
    ] {
        for (request, is_taken, status) in [(get(), reads, 200), (post(), changes, 201)] {
            let answer = request.header(name, value).send();
            if is_taken {
                answer.has_status(status);
            } else {
                answer.is_refused(403, "cross-site");
            }
        }
    }
    // Without its cookie, whoever has a key is no browser.
    let program = practice.api.post("/v1/clients", &client);
    program
        .header("origin", "https://evil.example")
        .header("sec-fetch-site", "cross-site")
        .send()
        .is(201);
}

#[test]
fn a_cookie_beside_an_authorization_is_refused() {
    let practice = a_practice();
    let page = Page::of(&practice.api);
    let both = practice.api.get("/v1/appointments").header("cookie", &page.cookie);
    both.header("sec-fetch-site", "same-origin").send().is_refused(400, "two-credentials");
    let other = practice.api.get("/v1/appointments").header("cookie", "theme=dark; daybook=1");
    other.send().is(200);
    let twice = format!("{}; {}", page.cookie, page.cookie);
    let twice = practice.api.with_key(None).get("/v1/appointments").header("cookie", &twice);
    twice.header("sec-fetch-site", "same-origin").send().is_refused(400, "repeated-header");
}

#[test]
fn a_cookie_that_is_none_is_refused() {
    let practice = a_practice();
    let page = Page::of(&practice.api);
    let (name, secret) = page.cookie.split_once('=').unwrap();
    let key = practice.api.key().unwrap();
    let other = if secret.starts_with('a') { "b" } else { "a" };
    for bad in ["nonsense", &format!("{other}{}", &secret[1..]), key, &secret[..40]] {
        let page =
            Page { api: page.api.clone(), cookie: format!("{name}={bad}"), id: String::new() };
        page.reads().is_refused(401, "session-ended");
    }
    // It is no key either.
    practice
        .api
        .with_key(Some(secret))
        .get("/v1/appointments")
        .send()
        .is_refused(401, "invalid-key");
    let without = Page { cookie: format!("{name}="), ..page };
    without.reads().is_refused(401, "missing-key");
}

#[test]
fn sessions_are_listed_and_ended_by_whoever_they_are_of() {
    let practice = a_practice();
    let (here, there) = (Page::of(&practice.api), Page::of(&practice.api));
    let key = Server::shared().database.key(&practice.tenant, "admin");
    let others = Page::of(&practice.api.with_key(Some(&key)));
    let listed = here.asks("GET", "/v1/browser-sessions").send();
    let items = listed.is(200)["items"].as_array().unwrap().clone();
    let current: Vec<&Value> = items.iter().filter(|item| item["is_current"] == true).collect();
    assert_eq!(
        (items.len(), current.len(), &current[0]["id"]),
        (2, 1, &json!(here.id)),
        "{items:?}"
    );
    let end = |page: &Page, id: &str| page.asks("DELETE", &format!("{ITEM}{id}")).send();
    end(&here, &others.id).is_refused(404, "not-found");
    let ended = end(&here, &there.id);
    ended.is(200);
    assert_eq!(ended.header("set-cookie"), None);
    there.reads().is_refused(401, "session-ended");
    here.reads().is(200);
    let signed_out = end(&here, &here.id);
    signed_out.is(200);
    let unset = signed_out.header("set-cookie").unwrap();
    assert!(unset.starts_with("__Host-daybook=;") && unset.contains("Max-Age=0"), "{unset}");
    here.reads().is_refused(401, "session-ended");
    others.reads().is(200);
    // By the key itself, too.
    let page = Page::of(&practice.api);
    practice.api.request("DELETE", &format!("{ITEM}{}", page.id)).send().is(200);
    page.reads().is_refused(401, "session-ended");
}

#[test]
fn a_page_that_signs_in_again_has_one_session() {
    let practice = a_practice();
    let before = Page::of(&practice.api);
    let again =
        practice.api.post("/v1/browser-sessions", &json!({})).header("cookie", &before.cookie);
    let forged =
        practice.api.post("/v1/browser-sessions", &json!({})).header("cookie", &before.cookie);
    forged.header("sec-fetch-site", "cross-site").send().is_refused(403, "cross-site");
    before.reads().is(200);
    again.header("sec-fetch-site", "same-origin").send().is(201);
    before.reads().is_refused(401, "session-ended");
    let listed = practice.api.get("/v1/browser-sessions").send().is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn of_one_key_there_are_fifty_and_the_one_that_was_used_longest_ago_ends() {
    let practice = a_practice();
    let first = Page::of(&practice.api);
    let second = Page::of(&practice.api);
    for _ in 0..48 {
        make(&practice.api).is(201);
    }
    first.reads().is(200);
    make(&practice.api).is(201);
    first.reads().is_refused(401, "session-ended");
    second.reads().is(200);
    let listed = practice.api.get("/v1/browser-sessions").send().is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 50);
}

#[test]
fn a_session_ends_with_its_key_on_every_program_with_its_streams() {
    let database = Database::fresh();
    let (one, other) = (Server::start(&database), Server::start(&database));
    let practice = Practice::on(&one);
    let body = json!({"name": "Page", "scopes": ["analytics", "appointments"]});
    let key = practice.api.post("/v1/keys", &body).send().is(201);
    let page = Page::of(&practice.api.with_key(key["key"].as_str()));
    let elsewhere =
        Page { api: page.api.at(&other.url), cookie: page.cookie.clone(), id: String::new() };
    page.reads().is(200);
    elsewhere.reads().is(200);
    let revoked = Instant::now();
    practice.api.post(&format!("/v1/keys/{}/revoke", id_of(&key)), &json!({})).send().is(200);
    page.reads().is_refused(401, "session-ended");
    while elsewhere.reads().status == 200 {
        assert!(revoked.elapsed() < PATIENCE, "the other program takes it still");
    }
    elsewhere.reads().is_refused(401, "session-ended");
}

#[test]
fn a_session_that_is_ended_ends_on_every_program() {
    let database = Database::fresh();
    let (one, other) = (Server::start(&database), Server::start(&database));
    let practice = Practice::on(&one);
    let page = Page::of(&practice.api);
    let elsewhere =
        Page { api: page.api.at(&other.url), cookie: page.cookie.clone(), id: String::new() };
    elsewhere.reads().is(200);
    let ended = Instant::now();
    page.asks("DELETE", &format!("{ITEM}{}", page.id)).send().is(200);
    page.reads().is_refused(401, "session-ended");
    while elsewhere.reads().status == 200 {
        assert!(ended.elapsed() < PATIENCE, "the other program takes it still");
    }
}

#[test]
fn a_session_of_a_token_ends_with_it_and_with_its_issuer() {
    let forge = Forge::on(server());
    let claims = Forge::but(forge.claims(), "exp", json!(now() + 6 - 60));
    let short = Page::of(&holder(&forge.practice, &forge.signed(&forge.header(), &claims)));
    let long = Page::of(&holder(&forge.practice, &forge.token()));
    short.reads().is(200);
    std::thread::sleep(std::time::Duration::from_secs(7));
    short.reads().is_refused(401, "session-ended");
    long.reads().is(200);
    let booking = forge.practice.booking(monday(9, 0)).body;
    long.asks("POST", "/v1/appointments")
        .json(&booking)
        .send()
        .is_refused(403, "insufficient-scope");
    let path = format!("/v1/issuers/{}", forge.issuer_id);
    forge.practice.api.request("DELETE", &path).send().is(200);
    long.reads().is_refused(401, "session-ended");
}

#[test]
fn a_session_that_nobody_uses_ends() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let page = Page::of(&practice.api);
    page.reads().is(200);
    // As if it had been half an hour ago; what the program remembers is gone by after ten seconds.
    let earlier = "UPDATE browser_sessions SET used_at = used_at - interval '31 minutes' WHERE tenant_id = $1";
    assert_eq!(database.sql().change(earlier, &practice.tenant), 1);
    let since = Instant::now();
    while page.reads().status == 200 {
        assert!(since.elapsed() < std::time::Duration::from_secs(15), "it goes on");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    page.reads().is_refused(401, "session-ended");
    let listed = practice.api.get("/v1/browser-sessions").send().is(200);
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn an_operators_key_makes_no_session() {
    make(&Server::shared().keyed_operator()).is_refused(403, "not-a-tenants-key");
    make(&Server::shared().api(None)).is_refused(401, "missing-key");
}

/// A stream that a page has open ends with its session.
#[test]
fn a_stream_of_a_page_ends_with_its_session() {
    let practice = a_practice();
    let page = Page::of(&practice.api);
    let api = page.api.with_cookie(&page.cookie);
    let stream = end_of(&api);
    page.reads().is(200);
    let ended = Instant::now();
    page.asks("DELETE", &format!("{ITEM}{}", page.id)).send().is(200);
    ends(&stream, ended);
}
