//! Who puts templates, which are refused and where, and what a preview says.

use std::thread;

use serde_json::{Value, json};

use super::{AT, a_template, put};
use crate::harness::{Practice, Server, a_practice, eventually, id_of, monday};

fn preview(practice: &Practice, body: &Value) -> Value {
    practice.api.post(&format!("{AT}/preview"), body).send().is(200)
}

#[test]
fn a_template_is_there_until_it_is_replaced_or_deleted() {
    let practice = a_practice();
    let at = format!("{AT}/reminder/nb");
    practice.api.get(&at).send().is_refused(404, "not-found");
    let tried = practice.api.request("PUT", &format!("{at}?dry_run=true"));
    tried.json(&a_template("Hei", "Hei igjen")).send().is(200);
    practice.api.get(&at).send().is_refused(404, "not-found");
    let first = put(&practice, "reminder/nb", &a_template("Hei", "Hei igjen"));
    let tag = first.header("etag").unwrap().to_owned();
    let first = first.is(200);
    assert_eq!((&first["kind"], &first["language"]), (&json!("reminder"), &json!("nb")));
    assert!(first["changed_by"].as_str().unwrap().starts_with("key:"), "{first}");
    let read = practice.api.get(&at).send();
    assert_eq!(read.header("etag"), Some(&*tag));
    assert_eq!(read.is(200), first);
    // In any case, as tags are.
    assert_eq!(practice.api.get(&format!("{AT}/reminder/NB")).send().is(200), first);
    let change = |tag: &str| {
        let change = practice.api.request("PUT", &at).header("if-match", tag);
        change.json(&a_template("Hallo", "Hallo igjen")).send()
    };
    let changed = change(&tag);
    changed.is(200);
    change(&tag).is_refused(412, "stale-version");
    change(changed.header("etag").unwrap()).is(200);
    // Of what is not there, nobody has seen a tag.
    let new = practice.api.request("PUT", &format!("{AT}/offer/nb")).header("if-match", &tag);
    new.json(&a_template("Hei", "Hei igjen")).send().is_refused(412, "stale-version");
    let listed = practice.api.get(AT).send().is(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["text"], Value::Null, "{listed}");
    practice.api.request("DELETE", &format!("{at}?dry_run=true")).send().is(200);
    practice.api.request("DELETE", &at).send().is(200);
    practice.api.request("DELETE", &at).send().is_refused(404, "not-found");
    assert_eq!(practice.api.get(AT).send().is(200)["items"], json!([]));
    let entries = practice.api.get("/v1/audit?kind=settings-changed").send().is(200);
    let entries = entries["items"].as_array().unwrap().clone();
    let of_it = entries.iter().filter(|entry| entry["object"] == "template reminder nb");
    assert_eq!(of_it.count(), 4, "{entries:?}");
}

#[test]
fn another_tenant_has_others() {
    let (one, other) = (a_practice(), a_practice());
    put(&one, "reminder/default", &a_template("One", "One")).is(200);
    assert_eq!(other.api.get(AT).send().is(200)["items"], json!([]));
    let body = json!({"kind": "reminder"});
    assert_eq!(preview(&one, &body)["words"], "template");
    assert_eq!(preview(&other, &body)["words"], "own");
}

#[test]
fn a_template_that_could_not_be_written_is_refused_and_it_is_said_where() {
    let practice = a_practice();
    for (of, template, fault, (part, line, column)) in [
        ("reminder/nb", a_template("A", "One\n  {{ client.nmae }}"), "unknown", ("text", 2, 6)),
        ("reminder/nb", a_template("{{ appointment.title }}", "A"), "unknown", ("subject", 1, 4)),
        ("reminder/nb", a_template("A", "{{ offer.until.time }}"), "unknown", ("text", 1, 4)),
        (
            "offer/nb",
            json!({"subject": "A", "text": "A", "html": "<p>\n{{ x }}"}),
            "unknown",
            ("html", 2, 4),
        ),
    ] {
        let refused = put(&practice, of, &template).is_refused(422, "faulty-template");
        let place = (&refused["part"], &refused["line"], &refused["column"]);
        assert_eq!(place, (&json!(part), &json!(line), &json!(column)), "{refused}");
        assert_eq!(refused["fault"], fault, "{refused}");
        // A preview says the same.
        let (kind, _) = of.split_once('/').unwrap();
        let body = json!({"kind": kind, "template": template});
        let previewed = practice.api.post(&format!("{AT}/preview"), &body).send();
        assert_eq!(previewed.is_refused(422, "faulty-template"), refused);
    }
    for (template, fault) in [
        (a_template("A", "{{ client.name"), "syntax"),
        (a_template("A", "{% include 'x' %}"), "syntax"),
        (a_template("A", "{{ client.name | upper }}"), "unknown"),
        (a_template("A", &"x".repeat(16 * 1024)), "too-large"),
        (a_template("A", "{{ [0] * 100000000 }}"), "syntax"),
        (
            a_template(
                "A",
                &["{% for i in [1,2,3,4,5,6,7,8,9,0] %}".repeat(6), "{% endfor %}".repeat(6)]
                    .concat(),
            ),
            "too-much",
        ),
        (a_template("A", &"{% if true %}".repeat(1_000)), "too-large"),
        (a_template("A", &format!("{{{{ {}1 }}}}", "-".repeat(10_000))), "too-large"),
        // Forty lists of two, each of which has the one before it twice.
        (a_template("A", &"{% set a = [a, a] %}".repeat(40)), "syntax"),
        (a_template("A", "{% for i in range(1000000) %}x{% endfor %}"), "unknown"),
        (a_template("A", "{{ client.name.replace('a', client.name) }}"), "unknown"),
        (a_template("A", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}"), "syntax"),
        (a_template("A\nBcc: b@example.org", "A"), "characters"),
        (a_template("{{ 'A\\r\\nBcc: b@example.org' }}", "A"), "characters"),
        (a_template("A", "A {{ '\\u202e' }}b"), "characters"),
        (a_template("A", "{% if false %}x{% endif %}"), "empty"),
    ] {
        let refused = put(&practice, "reminder/nb", &template).is_refused(422, "faulty-template");
        assert_eq!(refused["fault"], fault, "{refused}");
    }
    assert_eq!(practice.api.get(AT).send().is(200)["items"], json!([]));
    for of in ["birthday/nb", "reminder/nb_NO", "reminder/defaults"] {
        put(&practice, of, &a_template("A", "A")).is_refused(404, "not-found");
    }
}

#[test]
fn a_preview_says_what_would_be_written_and_sends_nothing() {
    let practice = a_practice();
    let own = preview(&practice, &json!({"kind": "confirmation"}));
    assert_eq!(own["subject"], "Confirmed: Check-up on Monday 1 March 2027 at 09:00", "{own}");
    let template = json!({
        "subject": "{{ appointment.service }} {{ appointment.start.date }}",
        "text": "Hei {{ client.name }}, kl. {{ appointment.start.time }} ({{ appointment.zone }})",
        "html": "<p>{{ client.name }}</p>",
    });
    let given = preview(&practice, &json!({"kind": "change", "template": template}));
    assert_eq!(given["words"], "given");
    assert_eq!(given["subject"], "Check-up 2027-03-01");
    assert_eq!(given["text"], "Hei Ada Example, kl. 09:00 (Europe/Oslo)");
    // Of somebody.
    let client = practice.a_client("<Ola> & Co");
    practice
        .api
        .patch(&format!("/v1/clients/{client}"), &json!({"language": "nb-no"}))
        .send()
        .is(200);
    let booking = practice.booking(monday(9, 0)).with("client_id", json!(client));
    let appointment = id_of(&booking.send().is(201));
    put(&practice, "change/nb", &template).is(200);
    let of_it = json!({"kind": "change", "appointment_id": appointment});
    let used = preview(&practice, &of_it);
    assert_eq!((&used["words"], &used["language"]), (&json!("template"), &json!("nb")));
    assert_eq!(used["html"], "<p>&lt;Ola&gt; &amp; Co</p>", "{used}");
    let default = preview(&practice, &json!({"kind": "change", "language": "sv"}));
    assert_eq!(default["words"], "own");
    // Who is told of a client is on record, and needs the scopes.
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", "manage"]);
    let manager = practice.api.with_key(Some(&key));
    manager.post(&format!("{AT}/preview"), &json!({"kind": "change"})).send().is(200);
    let refused = manager.post(&format!("{AT}/preview"), &of_it).send();
    refused.is_refused(403, "insufficient-scope");
    let nobody = json!({"kind": "change", "appointment_id": client});
    practice.api.post(&format!("{AT}/preview"), &nobody).send().is_refused(404, "not-found");
    let events = practice.api.get("/v1/events?aggregate_type=notice").send().is(200);
    assert_eq!(events["items"], json!([]));
}

#[test]
fn of_those_who_change_what_all_have_seen_one_does() {
    let practice = a_practice();
    let at = format!("{AT}/reminder/nb");
    for round in 0..5 {
        let seen = put(&practice, "reminder/nb", &a_template("Hei", &format!("Hei {round}")));
        let tag = seen.header("etag").unwrap();
        let answers: Vec<u16> = thread::scope(|scope| {
            let change = |who: usize| {
                let change = practice.api.request("PUT", &at).header("if-match", tag);
                change.json(&a_template("Hei", &format!("Hei {round} {who}"))).send().status
            };
            let all: Vec<_> = (0..8).map(|who| scope.spawn(move || change(who))).collect();
            all.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let changed = answers.iter().filter(|status| **status == 200).count();
        let refused = answers.iter().filter(|status| **status == 412).count();
        assert_eq!((changed, refused), (1, 7), "{answers:?}");
    }
}

/// What is known of them is not any more; what is written of their appointment can still be looked at.
#[test]
fn a_preview_names_nobody_who_is_erased() {
    let practice = a_practice();
    let client = practice.a_client("Zimtstern");
    let booking = practice.booking(monday(9, 0)).with("client_id", json!(client));
    let appointment = id_of(&booking.send().is(201));
    put(&practice, "reminder/default", &a_template("Hello", "({{ client.name }})")).is(200);
    let of_it = json!({"kind": "reminder", "appointment_id": appointment});
    assert_eq!(preview(&practice, &of_it)["text"], "(Zimtstern)");
    let erased = json!({"reason": "requested", "upcoming": "cancel"});
    practice.api.post(&format!("/v1/clients/{client}/erase"), &erased).send().is(200);
    eventually("they are erased", || (preview(&practice, &of_it)["text"] == "()").then_some(()));
}

/// Who looks at what somebody is written has opened what is known of them.
#[test]
fn a_preview_of_somebody_is_on_record() {
    let practice = a_practice();
    let client = practice.a_client("Somebody");
    let booking = practice.booking(monday(9, 0)).with("client_id", json!(client));
    let appointment = id_of(&booking.send().is(201));
    preview(&practice, &json!({"kind": "reminder", "appointment_id": appointment}));
    eventually("it is on record", || {
        let entries = practice.api.get(&format!("/v1/audit?subject_id={client}")).send().is(200);
        let route = "POST /v1/templates/preview";
        entries["items"].as_array().unwrap().iter().any(|it| it["route"] == route).then_some(())
    });
}
