//! A Redis that is reached by TLS.

use std::net::TcpListener;

use super::found;
use super::load::path;
use super::redis::Redis;
use super::shared::failures;
use crate::harness::{Database, Practice, Server, eventually, monday};
use crate::tls::Authority;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_redis_is_reached_by_tls_where_an_authority_vouches_for_it_and_not_otherwise() {
    let (authority, port) = (Authority::new(), free_port());
    let (redis, database) = (Redis::secure(&authority, port), Database::fresh());
    let (url, ca) = (format!("rediss://localhost:{port}"), authority.text("ca.pem"));
    let node = |options: &[&str]| {
        Server::start_with(&database, &[&["--redis-url", &url], options].concat())
    };
    // Nobody whom this machine knows vouches for it.
    let wary = node(&[]);
    let practice = Practice::on(&wary);
    let last = practice.booking(monday(8, 0)).send().position();
    // Each is another question.
    let ask = |on: &Server, number: usize| {
        let path = format!("{}&limit={}", path(last), number % 200 + 1);
        practice.moved_to(on).api.get(&path).send().is(200);
    };
    let mut numbers = 0..;
    eventually("it is not taken", || {
        ask(&wary, numbers.next()?);
        (failures(&wary, "connection") > 0).then_some(())
    });
    assert!(redis.names().is_empty());

    let nodes = [node(&["--redis-ca", &ca]), node(&["--redis-ca", &ca])];
    eventually("what one has worked out the other finds", || {
        let (number, before) = (numbers.next()?, redis.names().len());
        ask(&nodes[0], number);
        // A connection that is not there in time is there for the next.
        (redis.names().len() > before).then_some(())?;
        ask(&nodes[1], number);
        (found(&nodes[1], "redis") > 0).then_some(())
    });
}

#[test]
fn authorities_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "nothing").unwrap();
    let refused = |url: &str| {
        let options = ["--redis-url", url, "--redis-ca", file.to_str().unwrap()];
        let serve = [&["serve", "--listen", "127.0.0.1:0"][..], &options].concat();
        Database::fresh().run(&serve).failed()
    };
    for url in ["rediss://:secret@localhost:1", "redis://:secret@localhost:1"] {
        let said = refused(url);
        assert!(said.contains("--redis-ca") && !said.contains("secret"), "{said}");
    }
}
