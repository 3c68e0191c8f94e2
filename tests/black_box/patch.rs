//! `PATCH` with a JSON merge patch (RFC 7396): what is left out stays, `null` removes, nothing else is known.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Practice, Server, a_practice, at_once, monday};

/// Where something of each kind is that can be changed, with a member that it always has, one that it need not have, and one
/// that no patch changes.
fn each_kind(practice: &Practice) -> [(String, &'static str, &'static str, &'static str); 4] {
    let booked = practice.booked(monday(9, 0));
    [
        (format!("/v1/services/{}", practice.service), "name", "tags", "status"),
        (format!("/v1/resources/{}", practice.room), "name", "tags", "time_zone"),
        (format!("/v1/clients/{}", practice.client), "name", "email", "version"),
        (
            format!("/v1/appointments/{}", booked["id"].as_str().unwrap()),
            "title",
            "note",
            "start_at",
        ),
    ]
}

#[test]
fn what_a_patch_cannot_change_is_refused_by_its_name() {
    let practice = a_practice();
    for (path, always, may, fixed) in each_kind(&practice) {
        let before = practice.api.get(&path).send().is(200);
        let refused =
            |patch: Value| practice.api.patch(&path, &patch).send().is_refused(422, "invalid-body");
        for unknown in [fixed, "colour", "id"] {
            let problem = refused(json!({always: "Other", unknown: "x"}));
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("unknown field `{unknown}`")), "{problem}");
            assert!(detail.contains(&format!("`{may}`")), "it says what there is: {problem}");
        }
        let problem = refused(json!({always: null}));
        assert_eq!(problem["member"], always, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("cannot be removed"), "{problem}");
        let problem = refused(json!({may: 5}));
        assert_eq!(problem["member"], may, "{problem}");
        let problem = refused(json!({}));
        assert!(problem["detail"].as_str().unwrap().contains(&format!("`{may}`")), "{problem}");
        refused(json!([{always: "Other"}]));
        assert_eq!(practice.api.get(&path).send().is(200), before, "nothing has changed");
        practice.api.patch(&path, &json!({may: null})).send().is(200);
    }
}

#[test]
fn a_patch_is_sent_as_one_or_as_plain_json_and_as_nothing_else() {
    let practice = a_practice();
    for (path, always, ..) in each_kind(&practice) {
        let send = |content_type: &str| {
            let patch = json!({always: content_type}).to_string();
            practice.api.request("PATCH", &path).body(content_type, patch).send()
        };
        for good in ["application/merge-patch+json", "application/json; charset=utf-8"] {
            assert_eq!(send(good).is(200)[always], good);
        }
        for bad in ["application/json-patch+json", "text/plain"] {
            let answer = send(bad);
            let problem = answer.is_refused(415, "unsupported-media-type");
            assert!(problem["detail"].as_str().unwrap().contains("merge-patch"), "{problem}");
            let accepted = answer.header("accept-patch");
            assert_eq!(accepted, Some("application/merge-patch+json, application/json"));
        }
    }
    let merge = practice.api.request("POST", "/v1/clients");
    let merge = merge.body("application/merge-patch+json", json!({"name": "N"}).to_string());
    let answer = merge.send();
    answer.is_refused(415, "unsupported-media-type");
    assert_eq!(answer.header("accept-patch"), None, "nothing is patched there");
}

#[test]
fn a_patch_is_of_the_version_that_was_seen_and_is_tried_like_any_command() {
    let practice = a_practice();
    for (path, always, ..) in each_kind(&practice) {
        let patch = |query: &str, name: &str| {
            practice.api.patch(&format!("{path}{query}"), &json!({always: name}))
        };
        let first = patch("", "First").header("if-match", "\"1\"").send();
        assert_eq!(first.header("etag"), Some("\"2\""));
        patch("", "Late").header("if-match", "\"1\"").send().is_refused(412, "stale-version");
        patch("?dry_run=true", "Tried").send().is(200);
        assert_eq!(practice.api.get(&path).send().is(200), first.is(200));
    }
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (kind, member) in [
        ("services", "name"),
        ("resources", "name"),
        ("clients", "name"),
        ("appointments", "title"),
    ] {
        let path = format!("/v1/{kind}/{nobody}");
        practice.api.patch(&path, &json!({member: "N"})).send().is_refused(404, "not-found");
    }
}

#[test]
fn an_appointment_keeps_what_is_not_said_of_it() {
    let practice = a_practice();
    let booked = practice.booking(monday(9, 0)).with("note", "Left knee").send().is(201);
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let change = |members: Value| practice.api.patch(&path, &members).send();
    let titled = change(json!({"title": "Second visit"})).is(200);
    assert_eq!((&titled["title"], &titled["note"]), (&json!("Second visit"), &json!("Left knee")));
    let both = json!({"note": "Right knee", "category": "other", "tags": ["b", "a"]});
    let answer = change(both);
    let changed = answer.is(200);
    assert_eq!(changed["version"], 4, "it is described and it is tagged: two events");
    let mut expected = titled.clone();
    expected["version"] = json!(4);
    expected["note"] = json!("Right knee");
    expected["category"] = json!("other");
    expected["tags"] = json!(["a", "b"]);
    assert_eq!(changed, expected);
    let found = practice.api.found(&format!("q=second&min_position={}", answer.position()));
    assert_eq!(found[0]["category"], "other");
    let removed = change(json!({"note": null, "tags": null})).is(200);
    assert_eq!((removed.get("note"), &removed["tags"]), (None, &json!([])));
    assert_eq!(removed["title"], "Second visit");
    practice.is_whole();
}

/// Each is decided by what the others have left.
#[test]
fn patches_of_different_members_at_once_lose_nothing() {
    let practice = a_practice();
    let path = format!("/v1/clients/{}", practice.client);
    let patches = [
        json!({"email": "at.once@example.org"}),
        json!({"phone": "+47 22 33 44 55"}),
        json!({"notes": "At once"}),
        json!({"name": "One who changes"}),
    ];
    let answers = at_once(patches.len(), |n| practice.api.patch(&path, &patches[n]).send());
    for answer in answers {
        answer.has_status(200);
    }
    let client = practice.api.get(&path).send().is(200);
    for patch in &patches {
        for (name, value) in patch.as_object().unwrap() {
            assert_eq!(client[name], *value, "{client}");
        }
    }
}

/// So it is for whoever sends all members of a form, of which one was changed, or none.
#[test]
fn a_patch_to_what_is_there_already_is_no_event() {
    let practice = a_practice();
    for (path, always, ..) in each_kind(&practice) {
        let head = || practice.api.get("/v1/events?after=latest").send().is(200)["head"].clone();
        let named = practice.api.patch(&path, &json!({always: "As it is"})).send();
        let before = head();
        let same = json!({always: " As it is "});
        let again =
            practice.api.patch(&path, &same).header("if-match", named.header("etag").unwrap());
        let again = again.send();
        assert_eq!(again.is(200), named.is(200));
        for header in ["etag", "daybook-position"] {
            assert_eq!(again.header(header), named.header(header), "{path}");
        }
        let tried = practice.api.patch(&format!("{path}?dry_run=true"), &same).send();
        tried.has_status(200);
        assert_eq!(tried.header("daybook-position"), None);
        practice
            .api
            .patch(&path, &same)
            .header("if-match", "\"900\"")
            .send()
            .is_refused(412, "stale-version");
        // A key is used up all the same: sent again later, it changes nothing.
        let keyed = |body: &Value| practice.api.patch(&path, body).header("idempotency-key", &path);
        let first = keyed(&same).send();
        first.is(200);
        assert_eq!(first.header("idempotent-replayed"), None);
        assert_eq!(head(), before, "nothing has happened");
        practice.api.patch(&path, &json!({always: "Other"})).send().is(200);
        let replayed = keyed(&same).send();
        assert_eq!(replayed.is(200), first.is(200));
        assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
        assert_eq!(practice.api.get(&path).send().is(200)[always], "Other");
        keyed(&json!({always: "Another"})).send().is_refused(422, "idempotency-key-reused");
    }
    // Of several things, what changes is an event.
    let path = format!("/v1/resources/{}", practice.room);
    let room = practice.api.get(&path).send().is(200);
    let all = json!({"name": room["name"], "weekly_hours": room["weekly_hours"], "capacity": 7});
    let changed = practice.api.patch(&path, &all).send().is(200);
    assert_eq!(changed["version"], room["version"].as_u64().unwrap() + 1);
    practice.is_whole();
}

/// Each is a small change that goes together with all others.
#[test]
fn fifty_patches_of_one_thing_at_once_are_all_made() {
    let practice = a_practice();
    let path = format!("/v1/clients/{}", practice.client);
    let answers = at_once(50, |n| {
        let pair = json!({"metadata": {format!("k{n}"): "v"}});
        practice.api.patch(&path, &pair).send().status
    });
    let failed = answers.iter().filter(|status| **status != 200).count();
    println!("{failed} of {} failed", answers.len());
    assert_eq!(failed, 0, "{answers:?}");
    let client = practice.api.get(&path).send().is(200);
    assert_eq!(client["metadata"].as_object().unwrap().len(), 50, "{client}");
    assert_eq!(client["version"], 51);
}

#[test]
fn the_document_and_the_pages_say_which_members_can_be_changed_and_removed() {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/domain.md");
    let page = fs::read_to_string(page).unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    for (kind, path) in [
        ("a service", "/v1/services/{id}"),
        ("a resource", "/v1/resources/{id}"),
        ("a client", "/v1/clients/{id}"),
        ("an appointment", "/v1/appointments/{id}"),
    ] {
        let content = &document["paths"][path]["patch"]["requestBody"]["content"];
        let schema = &content["application/merge-patch+json"]["schema"]["$ref"];
        let name = schema.as_str().unwrap().rsplit('/').next().unwrap();
        let schema = &document["components"]["schemas"][name];
        assert!(schema.get("required").is_none(), "{name}");
        let members = schema["properties"].as_object().unwrap().iter();
        let (removed, replaced): (Vec<_>, Vec<_>) =
            members.partition(|(_, member)| member.to_string().contains(r#""null""#));
        let of = |members: Vec<(&String, &Value)>| -> BTreeSet<String> {
            members.into_iter().map(|(name, _)| name.clone()).collect()
        };
        let row = page.lines().find(|line| line.starts_with(&format!("| {kind} |"))).unwrap();
        let cells: Vec<&str> = row.split('|').collect();
        assert_eq!((names(cells[2]), names(cells[3])), (of(replaced), of(removed)), "{kind}");
    }
}
