//! What callers keep with things for themselves (`reference`, `metadata`), and where something takes place (`location`).

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, Server, a_practice, at_once, monday};
use crate::proof::claims::references_are_unique_and_claimed;

const KINDS: [&str; 4] = ["services", "resources", "clients", "appointments"];

/// Makes something of a kind with more in its body; an appointment at this hour.
fn make(practice: &Practice, kind: &str, hour: u32, more: &Value) -> Answer {
    let mut body = match kind {
        "services" => json!({"name": "S", "category": "c", "duration_minutes": 5}),
        "resources" => json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []}),
        "clients" => json!({"name": "C"}),
        _ => practice.booking(monday(hour, 0)).body,
    };
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    practice.api.post(&format!("/v1/{kind}"), &body).send()
}

/// Makes one of each kind, and says where it is.
fn each_kind(practice: &Practice, more: &Value) -> [(&'static str, String, Answer); 4] {
    KINDS.map(|kind| {
        let made = make(practice, kind, 9, more);
        let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
        (kind, format!("/v1/{kind}/{id}"), made)
    })
}

#[test]
fn a_reference_and_metadata_are_kept_with_everything_and_given_back() {
    let practice = a_practice();
    let own = json!({"reference": "A-1041", "metadata": {"Colour": "blue", "floor": "2"}});
    for (kind, path, made) in each_kind(&practice, &own) {
        let thing = made.is(201);
        for name in ["reference", "metadata"] {
            assert_eq!(thing[name], own[name], "{kind}");
        }
        assert_eq!(practice.api.get(&path).send().is(200), thing);
        let list = format!("/v1/{kind}?min_position={}", made.position());
        let items = practice.api.get(&list).send().is(200)["items"].clone();
        let listed = items.as_array().unwrap().iter().find(|item| item["id"] == thing["id"]);
        let listed = listed.unwrap();
        assert_eq!(
            (&listed["reference"], &listed["metadata"]),
            (&own["reference"], &own["metadata"])
        );

        let patch = |patch: Value| practice.api.patch(&path, &patch).send().is(200);
        let changed = patch(json!({"metadata": {"floor": null, "key": "value"}}));
        assert_eq!(changed["metadata"], json!({"Colour": "blue", "key": "value"}), "pair by pair");
        assert_eq!(changed["reference"], "A-1041");
        let removed = patch(json!({"metadata": null, "reference": null}));
        assert_eq!((removed.get("metadata"), removed.get("reference")), (None, None));
    }
    practice.is_whole();
}

#[test]
fn references_and_metadata_are_bounded() {
    let practice = a_practice();
    let pairs =
        |count: usize| -> Value { (0..count).map(|n| (format!("k{n}"), json!("v"))).collect() };
    for bad in [
        json!({"metadata": pairs(51)}),
        json!({"metadata": {"k".repeat(41): "v"}}),
        json!({"metadata": {"k": "v".repeat(501)}}),
        json!({"metadata": (0..20).map(|n| (format!("k{n}"), json!("v".repeat(500)))).collect::<Value>()}),
        json!({"metadata": {"k": 1}}),
        json!({"metadata": {"k": null}}),
        json!({"metadata": {"": "v"}}),
        json!({"metadata": "k"}),
        json!({"reference": "r".repeat(201)}),
        json!({"reference": ""}),
    ] {
        for (kind, _, made) in each_kind(&practice, &bad) {
            let problem = made.is_refused(422, "invalid-body");
            let field = problem["member"].as_str().unwrap_or_else(|| panic!("{kind}: {problem}"));
            assert!(bad.get(field.split('.').next().unwrap()).is_some(), "{kind}: {problem}");
        }
    }
    for (_, path, made) in each_kind(&practice, &json!({"metadata": pairs(50)})) {
        made.is(201);
        let more = json!({"metadata": {"one more": "v"}});
        let problem = practice.api.patch(&path, &more).send().is_refused(422, "patch-misfit");
        assert_eq!(problem["member"], "metadata");
        let other = json!({"metadata": {"one more": "v", "k0": null}});
        practice.api.patch(&path, &other).send().is(200);
    }
}

#[test]
fn an_appointment_takes_place_where_its_service_does_unless_it_says_otherwise() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"location": "12 Harbour Street"}));
    let path = format!("/v1/services/{service}");
    assert_eq!(practice.api.get(&path).send().is(200)["location"], "12 Harbour Street");
    let booking = |hour| practice.booking(monday(hour, 0)).with("service_id", &*service);
    assert_eq!(booking(9).send().is(201)["location"], "12 Harbour Street");
    let online = "https://meet.example.org/a-room";
    let booked = booking(10).with("location", online).send();
    let (position, booked) = (booked.position(), booked.is(201));
    assert_eq!(booked["location"], online);
    assert_eq!(practice.booked(monday(11, 0)).get("location"), None, "nothing is said of where");

    // Whatever becomes of the service, what was booked stays where it was to be.
    practice.api.patch(&path, &json!({"location": "The new house"})).send().is(200);
    let id = booked["id"].as_str().unwrap();
    assert_eq!(practice.appointment(id)["location"], online);
    let own = format!("/v1/appointments/{id}");
    let back = practice.api.patch(&own, &json!({"location": null})).send();
    assert_eq!(back.is(200)["location"], "The new house", "where its service is now");
    let found = practice.api.found(&format!("min_position={}", back.position()));
    let found = found.iter().find(|found| found["id"] == id).unwrap();
    assert_eq!(found["location"], "The new house");
    let diff = format!("{own}/diff?from=position:{position}");
    let changes = practice.api.get(&diff).send().is(200)["changes"].clone();
    let change = json!({"field": "location", "before": online, "after": "The new house"});
    assert!(changes.as_array().unwrap().contains(&change), "{changes}");
    practice.is_whole();
}

#[test]
fn a_place_in_a_session_and_an_occurrence_have_them_too() {
    let practice = a_practice();
    let class = practice.a_service(&json!({"session_places": 5, "location": "The hall"}));
    let session = json!({"service_id": class, "resource_ids": [practice.room],
                         "start_at": crate::harness::utc(monday(9, 0))});
    let session = practice.created("/v1/sessions", &session);
    let own = json!({"client_id": practice.client, "reference": "P-1", "metadata": {"a": "b"}});
    let path = format!("/v1/sessions/{session}/appointments");
    let place = practice.api.post(&path, &own).send().is(201);
    assert_eq!(
        (&place["location"], &place["reference"], &place["metadata"]["a"]),
        (&json!("The hall"), &json!("P-1"), &json!("b"))
    );
    let mut series = practice.booking(monday(12, 0)).body;
    series.as_object_mut().unwrap().remove("start_at");
    series["dtstart"] = json!(monday(12, 0).format("%Y-%m-%dT%H:%M").to_string());
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    series["location"] = json!("At the harbour");
    series["metadata"] = json!({"course": "1"});
    let made = practice.api.post("/v1/series", &series).send();
    made.is(201);
    let found = practice.api.found(&format!("min_position={}", made.position()));
    let of_series = found.iter().filter(|it| it["metadata"]["course"] == "1");
    assert_eq!(of_series.filter(|it| it["location"] == "At the harbour").count(), 2, "{found:#?}");
}

#[test]
fn things_are_found_by_what_their_callers_keep_with_them() {
    let practice = a_practice();
    let own = |reference: &str| json!({"reference": reference, "metadata": {"colour": "blue", "a [key] & more": "v w"}});
    for kind in KINDS {
        let first = make(&practice, kind, 9, &own("one")).is(201)["id"].clone();
        let second = make(&practice, kind, 10, &own("two"));
        let (position, second) = (second.position(), second.is(201)["id"].clone());
        let get = |position: u64, query: &str| {
            practice.api.get(&format!("/v1/{kind}?min_position={position}&{query}")).send()
        };
        let ids = |answer: &Answer| -> Vec<Value> {
            let items = answer.is(200)["items"].clone();
            items.as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
        };
        let both = [first.clone(), second.clone()];
        for (query, found) in [
            ("reference=one", &both[..1]),
            ("metadata[colour]=blue", &both),
            ("metadata%5Bcolour%5D=blue&reference=two", &both[1..]),
            ("metadata%5Ba%20[key]%20%26%20more%5D=v+w", &both),
            ("reference=ONE", &[]),
            ("reference=on", &[]),
            ("metadata[colour]=red", &[]),
            ("metadata[Colour]=blue", &[]),
            ("metadata[colour]=blue&metadata[size]=1", &[]),
        ] {
            assert_eq!(ids(&get(position, query)), found, "{kind}: {query}");
        }
        let path = format!("/v1/{kind}/{}", first.as_str().unwrap());
        let red = json!({"metadata": {"colour": "red"}});
        let changed = practice.api.patch(&path, &red).send().position();
        assert_eq!(ids(&get(changed, "metadata[colour]=red")), both[..1], "{kind}");
        assert_eq!(ids(&get(changed, "metadata[colour]=blue")), both[1..], "{kind}");
        let then = format!("/v1/{kind}?metadata[colour]=blue&as_of=position:{position}");
        assert_eq!(ids(&practice.api.get(&then).send()), both, "{kind}: as it was");
        for bad in [
            "reference=",
            "metadata[]=v",
            "metadata[a]=",
            "metadata=v",
            "metadata[a]=1&metadata[a]=2",
        ] {
            get(position, bad).is_refused(400, "invalid-query");
        }
    }
}

/// What is in the log and in the table of claims.
fn proved(practice: &Practice) {
    practice.is_whole();
    let mut sql = Server::shared().database.sql();
    references_are_unique_and_claimed(&mut sql, &practice.tenant);
}

#[test]
fn no_two_things_of_a_kind_have_the_same_reference() {
    let practice = a_practice();
    let own = json!({"reference": "A-1041"});
    let mut hour = 8;
    let mut another = |kind: &str, more: &Value| {
        hour += 1;
        make(&practice, kind, hour, more)
    };
    for (kind, path, first) in each_kind(&practice, &own) {
        // The same of another kind is no conflict.
        let id = first.is(201)["id"].clone();
        let refused = |answer: Answer| {
            let problem = answer.is_refused(409, "reference-taken");
            assert_eq!(problem["id"], id, "{kind}: {problem}");
        };
        refused(another(kind, &own));
        let second = another(kind, &json!({"reference": "A-1042"})).is(201)["id"].clone();
        let second = format!("/v1/{kind}/{}", second.as_str().unwrap());
        let patch = |path: &str, reference: Value| {
            practice.api.patch(path, &json!({"reference": reference})).send()
        };
        refused(patch(&second, json!("A-1041")));
        refused(practice.api.patch(&format!("{second}?dry_run=true"), &own).send());
        // What a key was refused with stays its answer; a refusal takes nothing.
        let key = format!("taken-{kind}");
        let again = || practice.api.patch(&second, &own).header("idempotency-key", &key).send();
        refused(again());
        assert_eq!(practice.api.get(&second).send().is(200)["reference"], "A-1042");
        patch(&path, json!("A-1041")).is(200);
        patch(&path, Value::Null).is(200);
        refused(again());
        patch(&second, json!("A-1041")).is(200);
        another(kind, &json!({"reference": "A-1042"})).is(201);
        patch(&path, json!("A-1041")).is_refused(409, "reference-taken");
    }
    proved(&practice);
}

#[test]
fn of_those_who_give_the_same_reference_at_once_one_gets_it() {
    let practice = a_practice();
    for kind in KINDS {
        let own = json!({"reference": format!("{kind} at once")});
        let answers = at_once(8, |n| make(&practice, kind, 9 + u32::try_from(n).unwrap(), &own));
        let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        let [made] = made[..] else { panic!("{kind}: {} of 8 were made", made.len()) };
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let problem = answer.is_refused(409, "reference-taken");
            assert_eq!(problem["id"], made.json()["id"], "{kind}");
        }
    }
    proved(&practice);
}

#[test]
fn an_appointment_keeps_its_reference_wherever_it_goes_and_whatever_becomes_of_it() {
    let practice = a_practice();
    let booking = |hour| practice.booking(monday(hour, 0)).with("reference", "one");
    let first = booking(9).send().is(201)["id"].as_str().unwrap().to_owned();
    let post = |act: &str, body: &Value| {
        practice.api.post(&format!("/v1/appointments/{first}/{act}"), body).send()
    };
    post("reschedule", &json!({"start_at": crate::harness::utc(monday(10, 0))})).is(200);
    let taken = |answer: Answer| {
        let problem = answer.is_refused(409, "reference-taken");
        assert_eq!(problem["id"], *first, "{problem}");
    };
    taken(booking(12).send());
    post("cancel", &json!({"by": "staff"})).is(200);
    taken(booking(12).send());
    // Its time is free, and is still told from its reference.
    practice.booked(monday(10, 0));
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    let both = booking(10).send();
    both.has_status(409);

    let items = [booking(13).body, practice.booking(monday(14, 0)).with("reference", "two").body];
    let batch = |items: &[Value]| {
        practice.api.post("/v1/appointments:batch", &json!({"atomic": true, "items": items})).send()
    };
    taken(batch(&items));
    let twice = [items[1].clone(), practice.booking(monday(15, 0)).with("reference", "two").body];
    assert_eq!(batch(&twice).is_refused(409, "reference-taken")["index"], 1);
    practice
        .api
        .patch(&format!("/v1/appointments/{first}"), &json!({"reference": null}))
        .send()
        .is(200);
    batch(&items).is(200);

    let mut series =
        practice.booking(monday(16, 0)).with("reference", "three").without("start_at").body;
    series["dtstart"] = json!(monday(16, 0).format("%Y-%m-%dT%H:%M").to_string());
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    let problem = practice.api.post("/v1/series", &series).send().is_refused(422, "invalid-body");
    assert!(problem["detail"].as_str().unwrap().contains("`reference`"), "{problem}");
    proved(&practice);
}
