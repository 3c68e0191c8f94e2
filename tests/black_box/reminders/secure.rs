//! A relay that wants TLS and a login, and one that has neither.

use std::thread;
use std::time::Duration;

use super::Reminding;
use crate::harness::{Database, Finished};
use crate::mail::{FROM, Relay};
use crate::tls::Authority;

#[test]
fn mail_is_handed_over_by_tls_to_whom_the_authority_knows() {
    let authority = Authority::new();
    authority.signs("relay");
    let relay = Relay::secure(&authority.path("relay.pem"), &authority.path("relay.key"));
    let password = authority.path("password");
    std::fs::write(&password, "p@ss:word\n").unwrap();
    let (password, ca) = (password.to_str().unwrap(), authority.text("ca.pem"));
    let url = format!("smtp://daybook@localhost:{}", relay.port);
    let mut options = vec!["--smtp-url", &url, "--smtp-from", FROM, "--smtp-timeout-seconds", "1"];
    options.extend(["--smtp-password-file", password]);
    let known = [&options[..], &["--smtp-ca", &ca]].concat();
    let reminding = Reminding::with_options(relay, &known);
    let appointment = reminding.booked(&reminding.client("secure@example.org"), 3);
    reminding.until(&appointment, "ReminderSent");
    let [mail] = reminding.relay.has(1, "secure@example.org").try_into().unwrap();
    assert_eq!((mail.0["tls"].as_bool(), mail.text("user")), (Some(true), "daybook"));

    // Nobody else's certificate, and nothing in clear.
    reminding.server.kill_dash_9();
    let reminding = reminding.started_again(&options);
    let appointment = reminding.booked(&reminding.client("unknown@example.org"), 3);
    reminding.until(&appointment, "ReminderFailed");
    assert_eq!(reminding.ledger(&appointment)[1].1["failure"], "transient");
    thread::sleep(Duration::from_secs(1));
    assert!(reminding.relay.mails_to("unknown@example.org").is_empty());
    let log = reminding.server.log();
    assert!(!log.contains("p@ss") && !log.contains("example.org"), "{log}");
}

#[test]
fn nothing_is_handed_over_in_clear_unless_it_is_said_that_it_may() {
    let relay = Relay::start();
    let url = format!("smtp://127.0.0.1:{}", relay.port);
    let options = ["--smtp-url", &url, "--smtp-from", FROM, "--smtp-timeout-seconds", "1"];
    let reminding = Reminding::with_options(relay, &options);
    let appointment = reminding.booked(&reminding.client("clear@example.org"), 3);
    reminding.until(&appointment, "ReminderFailed");
    assert!(reminding.relay.mails().is_empty());
}

#[test]
fn options_that_make_no_sense_are_refused_without_their_password() {
    let refused = |options: &[&str]| -> Finished {
        let database = Database::unreachable();
        database.run(&[&["serve", "--listen", "127.0.0.1:0"], options].concat())
    };
    for (options, said) in [
        (&["--smtp-url", "smtp://a:secret@relay"][..], "--smtp-from"),
        (&["--smtp-url", "http://a:secret@relay", "--smtp-from", FROM], "a relay is smtp://HOST"),
        (&["--smtp-url", "smtp://a:secret@relay", "--smtp-from", "nobody"], "from whom mail is"),
        (
            &["--smtp-url", "smtp://relay", "--smtp-from", FROM, "--smtp-ca", "/nowhere"],
            "--smtp-ca",
        ),
    ] {
        let told = refused(options).failed();
        assert!(told.contains(said) && !told.contains("secret"), "{options:?}: {told}");
    }
}
