//! What clients are told in the tenant's own words.

use chrono::Datelike as _;
use serde_json::json;

use super::{Telling, hours, nine};
use crate::harness::personal;
use crate::templates::{a_template, put};

#[test]
fn clients_are_told_in_the_tenants_words_in_their_own_language() {
    let telling = Telling::new();
    let practice = &telling.practice;
    let bokmal = json!({
        "subject": "Timen {{ appointment.start.day }}.{{ appointment.start.month }}.",
        "text": "Hei {{ client.name }}!\nKl. {{ appointment.start.time }}.",
        "html": "<p>Hei {{ client.name }}!</p>",
    });
    put(practice, "confirmation/nb", &bokmal).is(200);
    put(practice, "confirmation/default", &a_template("Booked", "By default")).is(200);
    for (address, language) in [("nb@example.org", "nb-NO"), ("sv@example.org", "sv")] {
        let client = telling.client_with(&json!({"email": address, "language": language}));
        let appointment = telling.booked(&client, nine());
        telling.until(&appointment, "NoticeSent", 1);
        if language == "sv" {
            continue;
        }
        // There is none for changes: these are told in daybook's words.
        telling.moved(&appointment, nine() + hours(1));
        let changed = telling.next(1, address);
        assert!(changed.text("subject").starts_with("Changed: "), "{changed:?}");
    }
    let [norwegian, _] = telling.relay.mails_to("nb@example.org").try_into().unwrap();
    let (day, month) = (nine().day(), nine().month());
    assert_eq!(norwegian.text("subject"), format!("Timen {day}.{month}."));
    let hello = format!("Hei {}!", personal::NAME);
    let lines: Vec<&str> = norwegian.text("text").lines().collect();
    assert_eq!(lines[..2], [&*hello, "Kl. 09:00."], "{norwegian:?}");
    assert!(norwegian.text("html").contains(&hello), "{norwegian:?}");
    let [swedish] = telling.relay.mails_to("sv@example.org").try_into().unwrap();
    assert_eq!(swedish.text("subject"), "Booked");
    assert!(swedish.text("text").starts_with("By default"), "{swedish:?}");
}

/// One that was put by another version, which knew what this one does not.
#[test]
fn where_a_template_cannot_be_used_daybook_has_words() {
    let telling = Telling::new();
    let practice = &telling.practice;
    put(practice, "confirmation/default", &a_template("Booked", "Hello")).is(200);
    let broken = "UPDATE templates SET text = 'Hello {{ client.name }} {{ client.shoe_size }}'
                   WHERE tenant_id = $1";
    assert_eq!(telling.database.sql().change(broken, &practice.tenant), 1);
    let address = "one@example.org";
    let appointment = telling.booked(&telling.client(address), nine());
    let mail = telling.next(0, address);
    assert!(mail.text("subject").starts_with("Confirmed: Check-up on Sunday "), "{mail:?}");
    assert_eq!(telling.until(&appointment, "NoticeSent", 1).len(), 2);
    let metrics = telling.server.operator().get("/metrics").download();
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("daybook_template_faults_total 1"), "{metrics}");
    // Who was written to is not in the log of the program.
    let log = telling.server.log();
    assert!(log.contains("template confirmation default"), "{log}");
    assert!(!log.contains(personal::NAME) && !log.contains(address), "{log}");
}

/// What clients and services are called is theirs, whatever it looks like, and so is the template's own markup.
#[test]
fn what_looks_like_markup_is_told_as_it_is_called() {
    let telling = Telling::new();
    let name = format!("{{{{ x }}}} <b>\"{}\"</b> & 'co'", personal::NAME);
    let template = json!({
        "subject": "For {{ client.name }}",
        "text": "For {{ client.name }}",
        "html": "<p title='{{ client.name }}'>{{ client.name }}</p>",
    });
    put(&telling.practice, "confirmation/default", &template).is(200);
    let client = telling.client_with(&json!({"email": "one@example.org", "name": name}));
    telling.booked(&client, nine());
    let mail = telling.next(0, "one@example.org");
    assert_eq!(mail.text("subject"), format!("For {name}"));
    assert_eq!(mail.text("text").trim_end(), format!("For {name}"));
    let escaped =
        format!("{{{{ x }}}} &lt;b&gt;&quot;{}&quot;&lt;/b&gt; &amp; &#39;co&#39;", personal::NAME);
    let html = format!("<p title='{escaped}'>{escaped}</p>");
    assert_eq!(mail.text("html").trim_end(), html);
}
