//! Tokens made by hand, by whoever means no good: beside each stands the same one as it should be, which is taken.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::KeyPair as _;
use serde_json::{Value, json};

use super::forge::{Forge, a_pair, encoded, now, signature, told};
use super::{add, an_issuer, holder, server};
use crate::harness::{Answer, Database, Server, monday};

fn asks(forge: &Forge, token: &str) -> Answer {
    holder(&forge.practice, token).get("/v1/appointments").send()
}

#[track_caller]
fn is_taken(forge: &Forge, token: &str) {
    asks(forge, token).has_status(200);
}

#[track_caller]
fn is_refused(forge: &Forge, token: &str, problem: &str) {
    let answer = asks(forge, token);
    answer.is_refused(401, problem);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer"), "{answer:#?}");
    let shown = token.get(..200).unwrap_or(token);
    assert!(shown.is_empty() || !answer.text.contains(shown), "it is told: {answer:#?}");
}

#[test]
fn a_header_that_promises_something_else_is_refused() {
    let forge = Forge::on(server());
    let claims = forge.claims();
    is_taken(&forge, &forge.token());
    for (member, value) in [
        ("alg", json!("none")),
        ("alg", json!("NONE")),
        ("alg", json!("ES384")),
        ("alg", json!("RS256")),
        ("alg", json!("EdDSA")),
        ("typ", json!("JWT")),
        ("typ", json!("dpop+jwt")),
        ("typ", Value::Null),
        ("kid", json!("two")),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("one' OR '1'='1")),
        ("kid", json!("http://127.0.0.1/jwks")),
        ("kid", Value::Null),
        ("crit", json!(["b64"])),
        ("crit", json!(["exp"])),
    ] {
        is_refused(
            &forge,
            &forge.signed(&Forge::but(forge.header(), member, value), &claims),
            "invalid-token",
        );
    }
    // Unsigned, in all its forms.
    let none = format!(
        "{}.{}.",
        encoded(r#"{"alg":"none","typ":"at+jwt","kid":"one"}"#),
        encoded(claims.to_string())
    );
    is_refused(&forge, &none, "invalid-token");
    let signed = forge.token();
    let (text, _) = signed.rsplit_once('.').unwrap();
    for signature in ["", "AA", &encoded([0u8; 64]), &encoded([0xffu8; 64])] {
        is_refused(&forge, &format!("{text}.{signature}"), "invalid-token");
    }
}

/// Whoever knows the public key, as everybody does, takes it for a secret that both sides have.
#[test]
fn a_public_key_is_no_secret() {
    let forge = Forge::on(server());
    is_taken(&forge, &forge.token());
    let header = Forge::but(forge.header(), "alg", json!("HS256"));
    let point = forge.pair.public_key().as_ref().to_vec();
    let head = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let der = [&head[..], &point].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let jwk = told(&forge.pair, "one").to_string();
    for secret in [&point[..], &der, pem.as_bytes(), jwk.as_bytes(), b""] {
        is_refused(&forge, &Forge::with_secret(&header, &forge.claims(), secret), "invalid-token");
        // And said to be what it is not.
        is_refused(
            &forge,
            &Forge::with_secret(&forge.header(), &forge.claims(), secret),
            "invalid-token",
        );
    }
}

#[test]
fn a_token_of_somebody_else_is_refused() {
    let (forge, other) = (Forge::on(server()), Forge::on(server()));
    is_taken(&forge, &forge.token());
    let (header, claims) = (forge.header(), forge.claims());
    for (member, value) in [
        ("iss", json!(other.issuer)),
        ("iss", json!(format!("{}/", forge.issuer))),
        ("iss", json!("https://login.example.org")),
        ("iss", json!([forge.issuer])),
        ("iss", Value::Null),
        ("aud", json!(other.practice.tenant)),
        ("aud", json!("")),
        ("aud", json!([])),
        ("aud", json!({"one": forge.practice.tenant})),
        ("aud", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("exp", Value::Null),
        ("iat", Value::Null),
    ] {
        is_refused(
            &forge,
            &forge.signed(&header, &Forge::but(claims.clone(), member, value)),
            "invalid-token",
        );
    }
    is_taken(
        &forge,
        &forge.signed(
            &header,
            &Forge::but(claims.clone(), "aud", json!(["x", forge.practice.tenant])),
        ),
    );
    // One provider cannot speak for another: its keys are its own.
    let theirs = Forge::but(
        Forge::but(claims, "iss", json!(other.issuer)),
        "aud",
        json!(other.practice.tenant),
    );
    is_refused(&other, &forge.signed(&header, &theirs), "invalid-token");
    is_taken(&other, &other.signed(&header, &theirs));
}

/// Whoever fits two grants is limited by both.
#[test]
fn a_token_is_limited_as_its_grants_are() {
    let forge = Forge::on(server());
    let practice = &forge.practice;
    let (booked, other) = (practice.booked(monday(9, 0)), practice.a_room());
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let mut issuer = an_issuer(&forge.issuer, "limited");
    let grant = |value: &str, room: &str| {
        json!({"claim": "roles", "value": value, "scopes": ["appointments"],
               "limits": {"resource_ids": [room]}})
    };
    issuer["grants"] = json!([grant("here", &practice.room), grant("there", &other),
                              {"claim": "roles", "value": "any", "scopes": ["appointments"]}]);
    issuer["audience"] = json!(format!("{}-limited", practice.tenant));
    let added = add(&practice.api, &issuer).is(201);
    assert_eq!(added["grants"], issuer["grants"]);
    let reads = |roles: &[&str]| {
        let claims = Forge::but(forge.claims(), "aud", issuer["audience"].clone());
        let claims = Forge::but(claims, "roles", json!(roles));
        holder(practice, &forge.signed(&forge.header(), &claims)).get(&path).send()
    };
    reads(&["any"]).has_status(200);
    reads(&["any", "here"]).has_status(200);
    reads(&["any", "there"]).is_refused(404, "not-found");
    reads(&["any", "here", "there"]).is_refused(403, "insufficient-scope");
    reads(&[]).is_refused(403, "insufficient-scope");
}

/// Which tenant it is, is said by the issuer's row alone.
#[test]
fn no_claim_names_the_tenant() {
    let (forge, other) = (Forge::on(server()), Forge::on(server()));
    let booked = other.practice.booked(monday(9, 0));
    let mut claims = forge.claims();
    for name in ["tenant", "tenant_id", "tid", "org_id", "azp", "client_id"] {
        claims[name] = json!(other.practice.tenant);
    }
    let token = forge.signed(&forge.header(), &claims);
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    holder(&forge.practice, &token).get(&path).send().is_refused(404, "not-found");
    other.practice.api.get(&path).send().is(200);
    // An audience of each: it would be of both, so it is of none.
    let mut both = an_issuer(&forge.issuer, &other.practice.tenant);
    both["algorithms"] = json!(["ES256"]);
    add(&other.practice.api, &both).is(201);
    let audiences = json!([forge.practice.tenant, other.practice.tenant]);
    let token = forge.signed(&forge.header(), &Forge::but(forge.claims(), "aud", audiences));
    is_refused(&forge, &token, "invalid-token");
}

#[test]
fn clocks_may_be_a_minute_apart() {
    let forge = Forge::on(server());
    let at = |claim: &str, seconds: i64| {
        forge.signed(&forge.header(), &Forge::but(forge.claims(), claim, json!(now() + seconds)))
    };
    // Some seconds to spare, for the test takes its time.
    is_taken(&forge, &at("exp", -50));
    is_refused(&forge, &at("exp", -61), "expired-token");
    is_taken(&forge, &at("exp", 3_600));
    is_refused(&forge, &at("exp", 3_720), "invalid-token");
    for claim in ["nbf", "iat"] {
        is_taken(&forge, &at(claim, 59));
        is_refused(&forge, &at(claim, 120), "invalid-token");
    }
    is_taken(&forge, &at("nbf", -7_200));
    // From before the issuer was added.
    is_refused(&forge, &at("iat", -120), "invalid-token");
    let answer = asks(&forge, &at("exp", 86_400)).is_refused(401, "invalid-token");
    assert!(answer["detail"].as_str().unwrap().contains("an hour"), "{answer}");
}

#[test]
fn what_says_something_twice_or_is_too_long_is_refused() {
    let forge = Forge::on(server());
    let (header, claims) = (forge.header().to_string(), forge.claims().to_string());
    is_taken(&forge, &forge.signed_text(&header, &claims));
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    is_refused(
        &forge,
        &forge.signed_text(&twice(&header, r#""alg":"none""#), &claims),
        "invalid-token",
    );
    is_refused(
        &forge,
        &forge.signed_text(&header, &twice(&claims, r#""exp":9999999999"#)),
        "invalid-token",
    );
    is_refused(
        &forge,
        &forge.signed_text(&header, &twice(&claims, r#""\u0073ub":"x""#)),
        "invalid-token",
    );
    for bad in [&*format!("{header}{header}"), "[]", "null", "", "\u{0}", &"[".repeat(2_000)] {
        is_refused(&forge, &forge.signed_text(bad, &claims), "invalid-token");
        is_refused(&forge, &forge.signed_text(&header, bad), "invalid-token");
    }
    let long = Forge::but(forge.claims(), "picture", json!("a".repeat(9_000)));
    is_refused(&forge, &forge.signed(&forge.header(), &long), "invalid-token");
    let token = forge.token();
    for bad in [
        format!("{token}="),
        format!("{token}."),
        token.replace('.', ".."),
        "..".to_owned(),
        "a.b.c".to_owned(),
    ] {
        asks(&forge, &bad).has_status(401);
    }
    // What is longer than any head is not read at all.
    let huge = Forge::but(forge.claims(), "picture", json!("a".repeat(1_000_000)));
    let answer = holder(&forge.practice, &forge.signed(&forge.header(), &huge));
    if let Ok(answer) = answer.get("/v1/appointments").try_send() {
        assert_eq!(answer.status, 431, "{answer:#?}");
    }
    is_taken(&forge, &token);
}

/// Where keys are is said by the issuer's own configuration, and by nothing that a token says.
#[test]
fn keys_that_a_token_brings_along_are_left_alone() {
    let (forge, elsewhere) = (Forge::on(server()), Forge::on(server()));
    let (own, asked) = (a_pair(), elsewhere.asked.load(Ordering::Relaxed));
    elsewhere.says("/jwks", &json!({"keys": [told(&own, "one")]}));
    let there = format!("{}/jwks", elsewhere.issuer);
    for (member, value) in [
        ("jku", json!(there)),
        ("x5u", json!(there)),
        ("jwk", told(&own, "one")),
        ("x5c", json!([encoded(b"certificate")])),
    ] {
        let header = Forge::but(forge.header(), member, value);
        let signed =
            format!("{}.{}", encoded(header.to_string()), encoded(forge.claims().to_string()));
        is_refused(&forge, &format!("{signed}.{}", signature(&own, &signed)), "invalid-token");
        // By the right key, it is not minded.
        is_taken(&forge, &forge.signed(&header, &forge.claims()));
    }
    assert_eq!(elsewhere.asked.load(Ordering::Relaxed), asked, "nobody went there");
}

#[test]
fn a_configuration_that_leads_elsewhere_is_not_followed() {
    type Case<'c> = (&'static str, &'c dyn Fn(&Forge) -> Value);
    const DISCOVERY: &str = "/.well-known/openid-configuration";
    let elsewhere = Forge::on(server());
    let there = format!("{}/there", elsewhere.issuer);
    let leads_to =
        |jwks: &'static str| move |forge: &Forge| json!({"issuer": forge.issuer, "jwks_uri": jwks});
    let (metadata, inside, file) = (
        leads_to("http://169.254.169.254/latest/meta-data"),
        leads_to("https://10.0.0.1/jwks"),
        leads_to("file:///etc/passwd"),
    );
    let of_another = |forge: &Forge| {
        let jwks = format!("{}/jwks", forge.issuer);
        json!({"issuer": "https://login.example.org", "jwks_uri": jwks})
    };
    // Sent elsewhere, where the right keys are.
    let sent_elsewhere = |forge: &Forge| {
        elsewhere.says("/there", &json!({"keys": [told(&forge.pair, "one")]}));
        json!(there)
    };
    let too_large = |_: &Forge| json!({"keys": "a".repeat(70_000)});
    let secret = |_: &Forge| json!({"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]});
    let cases: [Case<'_>; 7] = [
        (DISCOVERY, &of_another),
        (DISCOVERY, &metadata),
        (DISCOVERY, &inside),
        (DISCOVERY, &file),
        ("/jwks", &sent_elsewhere),
        ("/jwks", &too_large),
        ("/jwks", &secret),
    ];
    for (path, document) in cases {
        let forge = Forge::on(server());
        let document = document(&forge);
        forge.says(path, &document);
        let answer = asks(&forge, &forge.token());
        assert!([401, 503].contains(&answer.status), "{document}: {answer:#?}");
        // The control: another of its kind, whose configuration is right.
        let right = Forge::on(server());
        is_taken(&right, &right.token());
    }
}

#[test]
fn without_its_providers_keys_a_token_is_neither_taken_nor_wrong() {
    let forge = Forge::on(server());
    forge.goes_away();
    let answer = asks(&forge, &forge.token());
    assert!(answer.says_come_back(), "{answer:#?}");
    // Whoever asks again and again does not have the provider asked again and again.
    let asked = forge.asked.load(Ordering::Relaxed);
    for _ in 0..50 {
        assert_eq!(asks(&forge, &forge.token()).status, 503);
    }
    assert_eq!(forge.asked.load(Ordering::Relaxed), asked);
}

/// An issuer on this machine is trusted only where whoever runs the program says so.
#[test]
fn without_the_option_an_issuer_of_this_machine_is_not_asked() {
    let forge = Forge::on(server());
    let plain = Server::start(&server().database);
    let here = forge.practice.api.at(&plain.url).with_key(Some(&forge.token()));
    assert_eq!(here.get("/v1/appointments").send().status, 503);
    assert_eq!(forge.asked.load(Ordering::Relaxed), 0);
    is_taken(&forge, &forge.token());
}

#[test]
fn what_a_token_says_of_somebody_is_written_nowhere() {
    let database = Database::fresh();
    let server = Server::start_in(
        &database,
        &[("DAYBOOK_ALLOW_INSECURE_ISSUERS", "true"), ("DAYBOOK_LOG", "debug,sqlx=warn")],
    );
    server.wait_until_ready();
    let forge = Forge::on(&server);
    let mut claims = forge.claims();
    claims["scope"] = json!("daybook:read daybook:book");
    let token = forge.signed(&forge.header(), &claims);
    forge
        .practice
        .booking(monday(9, 0))
        .request_of(&holder(&forge.practice, &token))
        .send()
        .is(201);
    let (signed, tag) = token.rsplit_once('.').unwrap();
    let first = if tag.starts_with('A') { "B" } else { "A" };
    let wrong = format!("{signed}.{first}{}", &tag[1..]);
    asks(&forge, &wrong).has_status(401);
    let log = server.log_with("a token is refused");
    let signature = token.rsplit('.').next().unwrap();
    assert!(log.contains(&forge.issuer_id), "{log}");
    for secret in ["somebody@example.org", signature, &encoded(claims.to_string())] {
        assert!(!log.contains(secret), "{secret}");
    }
    let events = forge.practice.api.get("/v1/events").send();
    assert!(events.text.contains("oidc:") && !events.text.contains("somebody"), "{events:#?}");
}
