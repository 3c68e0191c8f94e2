//! A broker that speaks TLS and nothing else.

use std::fs;

use super::broker::Rabbit;
use super::{COPY, api, are_whole, as_relay, bind, booked, fails, head, is_all_published, waiting};
use crate::harness::{Database, Practice, Server, eventually};
use crate::tls::Authority;

#[test]
fn a_broker_is_reached_by_tls_where_an_authority_vouches_for_its_name_and_not_otherwise() {
    let (authority, another) = (Authority::new(), Authority::new());
    let rabbit = Rabbit::secure(&authority);
    bind(&rabbit, "#");
    let database = Database::fresh();
    let api = api(&database);
    let practice = Practice::on(&api);
    booked(&practice, 0, 3);
    let (ours, theirs) = (authority.text("ca.pem"), another.text("ca.pem"));
    let relay = |url: &str, ca: Option<&str>| {
        let ca = ca.map_or(vec![], |ca| vec!["--amqp-ca", ca]);
        Server::start_with(&database, &[&as_relay(url)[..], &ca].concat())
    };
    let (url, of_another_name) = (rabbit.url(), rabbit.url_at("127.0.0.2"));
    let plain = url.replace("amqps", "amqp");
    let of_none = "of no authority that is trusted";
    for (url, ca, word, sentence) in [
        // Nobody whom this machine knows vouches for it.
        (&url, None, "not-trusted", of_none),
        (&url, Some(&*theirs), "not-trusted", of_none),
        (&of_another_name, Some(&ours), "other-name", "for another name than that in the URL"),
        (&plain, None, "not-connected", "the broker cannot be reached"),
    ] {
        let refused = relay(url, ca);
        eventually(sentence, || refused.log().contains(sentence).then_some(()));
        fails(&database, word);
        assert!(!refused.log().contains("guest"), "{}", refused.log());
    }
    let _relay = relay(&url, Some(&ours));
    is_all_published(&database, 1);
    let verify = ["relay", "verify", "--queue", COPY, "--amqp-url", &url, "--amqp-ca", &ours];
    let said = database.run(&verify).succeeded();
    assert!(said.contains("missing: 0, not as in the log: 0, again: 0"), "{said}");
    are_whole(&waiting(&rabbit, COPY), &practice.tenant, 0, head(&practice));
}

#[test]
fn authorities_that_are_none_are_refused() {
    let (database, folder) = (Database::fresh(), tempfile::tempdir().unwrap());
    let authority = Authority::new();
    let nothing = folder.path().join("ca.pem");
    fs::write(&nothing, "nothing").unwrap();
    let (nothing, ours) = (nothing.to_str().unwrap(), authority.text("ca.pem"));
    // Where no TLS is asked for, whoever gives an authority would think that it is spoken.
    for (url, ca) in [("amqps://guest:secret@host", nothing), ("amqp://guest:secret@host", &ours)] {
        let options = [&["serve", "--listen", "127.0.0.1:0"], &as_relay(url)[..]].concat();
        let said = database.run(&[&options[..], &["--amqp-ca", ca]].concat()).failed();
        assert!(said.contains("--amqp-ca") && !said.contains("secret"), "{said}");
    }
}
