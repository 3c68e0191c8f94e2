//! A token that has ended, and streams that were opened by it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::forge::{Forge, now};
use super::{holder, server};
use crate::harness::{Database, Server, eventually};
use crate::keys::ending::{PATIENCE, end_of, ends};

/// A token that ends so many seconds from now, clocks that are a minute apart not counted.
fn ending_in(forge: &Forge, seconds: i64) -> String {
    let claims = Forge::but(forge.claims(), "exp", json!(now() + seconds - 60));
    forge.signed(&forge.header(), &claims)
}

#[test]
fn an_issuer_that_is_removed_ends_its_tokens_on_every_program_with_their_streams() {
    let database = Database::fresh();
    let option = ["--allow-insecure-issuers"];
    let (one, other) =
        (Server::start_with(&database, &option), Server::start_with(&database, &option));
    let (forge, kept) = (Forge::on(&one), Forge::on(&one));
    let at =
        |server: &Server, forge: &Forge| holder(&forge.practice, &forge.token()).at(&server.url);
    let holders = [at(&one, &forge), at(&one, &kept), at(&other, &forge), at(&other, &kept)];
    for holder in &holders {
        holder.get("/v1/appointments").send().has_status(200);
    }
    let streams: Vec<_> = holders.iter().map(end_of).collect();
    let removed = Instant::now();
    let path = format!("/v1/issuers/{}", forge.issuer_id);
    forge.practice.api.request("DELETE", &path).send().is(200);
    // This program knows it before it says so.
    holders[0].get("/v1/appointments").send().is_refused(401, "invalid-token");
    while holders[2].get("/v1/appointments").send().status != 401 {
        assert!(removed.elapsed() < PATIENCE, "the other program takes it still");
    }
    let heard = removed.elapsed();
    let took = [ends(&streams[0], removed), ends(&streams[2], removed)];
    println!("removed: the other program refuses after {heard:?}, the streams end after {took:?}");
    for (holder, stream) in [(&holders[1], &streams[1]), (&holders[3], &streams[3])] {
        holder.get("/v1/appointments").send().has_status(200);
        assert!(stream.try_recv().is_err(), "another issuer's stream goes on");
    }
}

/// So all tokens that are out can be ended, and new ones be taken.
#[test]
fn an_issuer_that_is_added_again_has_ended_its_tokens() {
    let forge = Forge::on(server());
    let claims = Forge::but(forge.claims(), "iat", json!(now() - 50));
    let old = holder(&forge.practice, &forge.signed(&forge.header(), &claims));
    old.get("/v1/appointments").send().has_status(200);
    let path = format!("/v1/issuers/{}", forge.issuer_id);
    let issuer = forge.practice.api.get(&path).send().is(200);
    forge.practice.api.request("DELETE", &path).send().is(200);
    old.get("/v1/appointments").send().is_refused(401, "invalid-token");
    std::thread::sleep(Duration::from_secs(12));
    let mut body = issuer.clone();
    for member in ["id", "created_at"] {
        body.as_object_mut().unwrap().remove(member);
    }
    super::add(&forge.practice.api, &body).is(201);
    let problem = old.get("/v1/appointments").send().is_refused(401, "invalid-token");
    assert!(
        problem["detail"].as_str().unwrap().contains("before its issuer was added"),
        "{problem}"
    );
    holder(&forge.practice, &forge.token()).get("/v1/appointments").send().has_status(200);
}

#[test]
fn a_token_ends_with_its_streams_when_its_time_is_over() {
    let forge = Forge::on(server());
    let holder = holder(&forge.practice, &ending_in(&forge, 4));
    let stream = end_of(&holder);
    assert!(stream.recv_timeout(Duration::from_millis(1_500)).is_err(), "it is good until its end");
    let (_, told): (Instant, Value) = stream.recv_timeout(Duration::from_secs(6)).unwrap();
    assert_eq!(told["reason"], "key-ended");
    holder.get("/v1/appointments").send().is_refused(401, "expired-token");
}

#[test]
fn a_suspended_tenants_tokens_are_refused() {
    let forge = Forge::on(server());
    let holder = holder(&forge.practice, &forge.token());
    holder.get("/v1/appointments").send().has_status(200);
    server().database.run(&["tenant", "suspend", &forge.practice.tenant]).succeeded();
    let suspended = Instant::now();
    while holder.get("/v1/appointments").send().status == 200 {
        assert!(suspended.elapsed() < PATIENCE, "it is taken still");
    }
    holder.get("/v1/appointments").send().is_refused(403, "tenant-suspended");
    server().database.run(&["tenant", "resume", &forge.practice.tenant]).succeeded();
}

#[test]
fn a_token_that_is_refused_although_it_is_somebodys_is_in_the_audit_log() {
    let forge = Forge::on(server());
    let api = &forge.practice.api;
    let asks = |claims: &Value| {
        holder(&forge.practice, &forge.signed(&forge.header(), claims))
            .get("/v1/appointments")
            .send()
    };
    let expired = Forge::but(forge.claims(), "exp", json!(now() - 120));
    asks(&expired).is_refused(401, "expired-token");
    let not_yet = Forge::but(forge.claims(), "nbf", json!(now() + 600));
    asks(&not_yet).is_refused(401, "invalid-token");
    // Nobody knows whose these are.
    let header = Forge::but(forge.header(), "kid", json!("another"));
    holder(&forge.practice, &forge.signed(&header, &forge.claims()))
        .get("/v1/appointments")
        .send()
        .is_refused(401, "invalid-token");
    let refused = eventually("they are recorded", || {
        let items = api.get("/v1/audit?kind=refused").send().is(200)["items"].as_array()?.clone();
        (items.len() >= 2).then_some(items)
    });
    let mut objects: Vec<&str> = refused.iter().map(|it| it["object"].as_str().unwrap()).collect();
    objects.sort_unstable();
    assert_eq!(objects, ["expired-token", "invalid-token"], "{refused:#?}");
    let by = format!("oidc:{}:", forge.issuer_id);
    assert!(
        refused.iter().all(|it| it["actor"].as_str().unwrap().starts_with(&by)),
        "{refused:#?}"
    );
    assert!(refused.iter().all(|it| it["times"] == 1), "{refused:#?}");
}
