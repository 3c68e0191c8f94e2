//! `/v1/keys`, and `daybook key`.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{made, make, text};
use crate::harness::{Database, Server, a_practice, eventually, id_of, monday};

fn in_hours(hours: i64) -> String {
    let now = DateTime::<Utc>::from(SystemTime::now());
    (now + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("no instant in {value}")).parse().unwrap()
}

#[test]
fn a_key_is_made_shown_once_and_good_for_what_it_was_made_for() {
    let practice = a_practice();
    let expires_at = in_hours(24);
    let body =
        json!({"name": "Kiosk", "scopes": ["availability", "book"], "expires_at": expires_at});
    let answer = make(&practice.api, &body);
    let key = answer.is(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("location"), Some(&*format!("/v1/keys/{}", id_of(&key))));
    let kiosk = practice.api.with_key(Some(text(&key)));
    kiosk.get("/v1/services").send().has_status(200);
    practice.booking(monday(9, 0)).request_of(&kiosk).send().is(201);
    kiosk.get("/v1/appointments").send().is_refused(403, "insufficient-scope");

    let mut listed = practice.api.get(&format!("/v1/keys/{}", id_of(&key))).send().is(200);
    listed.as_object_mut().unwrap().remove("last_used_at");
    let mut shown = key.clone();
    shown.as_object_mut().unwrap().remove("key");
    assert_eq!(listed, shown, "all but the key itself");
    assert_eq!((&listed["name"], &listed["scopes"]), (&body["name"], &body["scopes"]));
    assert_eq!(instant(&listed["expires_at"]), instant(&json!(expires_at)));
    let all = practice.api.get("/v1/keys").send();
    let names: Vec<Value> =
        all.is(200)["items"].as_array().unwrap().iter().map(|k| k["id"].clone()).collect();
    assert_eq!(names.len(), 2, "with that of the practice");
    assert_eq!(names[1], key["id"]);
    let secret = text(&key).split('_').nth(2).unwrap();
    assert!(!all.text.contains(secret) && secret.len() == 43, "{all:#?}");
}

#[test]
fn a_key_that_cannot_be_made_is_refused_and_not_made() {
    let practice = a_practice();
    let keys = || practice.api.get("/v1/keys").send().is(200)["items"].as_array().unwrap().len();
    let before = keys();
    for (body, why) in [
        (json!({"name": "No scope", "scopes": []}), "scopes"),
        (json!({"name": "Another", "scopes": ["everything"]}), "everything"),
        (json!({"name": "", "scopes": ["book"]}), "name"),
        (json!({"scopes": ["book"]}), "name"),
        (json!({"name": "Late", "scopes": ["book"], "expires_at": in_hours(-1)}), "expires_at"),
    ] {
        let problem = make(&practice.api, &body).is_refused(422, "invalid-body");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    let body = json!({"name": "Tried", "scopes": ["book"]});
    let tried = practice.api.post("/v1/keys?dry_run=true", &body).send().is(200);
    assert_eq!(tried.get("key"), None, "{tried}");
    assert_eq!(keys(), before);
}

#[test]
fn nobody_gives_what_their_own_key_is_not_good_for() {
    let practice = a_practice();
    let larger = made(&practice.api, &["manage", "book"]);
    let smaller = made(&practice.api, &["keys", "book"]);
    let holder = practice.api.with_key(Some(text(&smaller)));
    let asked = json!({"name": "More", "scopes": ["book", "manage"]});
    let problem = make(&holder, &asked).is_refused(403, "insufficient-scope");
    assert_eq!(problem["required_scope"], "manage");
    for dry_run in ["", "?dry_run=true"] {
        let rotate = format!("/v1/keys/{}/rotate{dry_run}", id_of(&larger));
        let problem = holder.post(&rotate, &json!({})).send().is_refused(403, "insufficient-scope");
        assert_eq!(problem["required_scope"], "manage");
    }
    made(&holder, &["book"]);
    // Whoever finds a key in the wrong hands can end it, whatever it is good for.
    holder.post(&format!("/v1/keys/{}/revoke", id_of(&larger)), &json!({})).send().is(200);
}

#[test]
fn a_rotated_key_works_beside_the_new_one_until_the_overlap_is_over() {
    let practice = a_practice();
    let old = made(&practice.api, &["availability"]);
    let rotate = format!("/v1/keys/{}/rotate", id_of(&old));
    let new = practice.api.post(&rotate, &json!({"overlap_hours": 1})).send().is(201);
    assert_eq!(new["replaces_id"], old["id"]);
    assert_eq!((&new["name"], &new["scopes"]), (&old["name"], &old["scopes"]));
    let asks = |key: &str| practice.api.with_key(Some(key)).get("/v1/services").send();
    assert_eq!((asks(text(&old)).status, asks(text(&new)).status), (200, 200));
    let ends = practice.api.get(&format!("/v1/keys/{}", id_of(&old))).send().is(200);
    let overlap = instant(&ends["expires_at"]) - instant(&new["created_at"]);
    assert_eq!(overlap, TimeDelta::hours(1));

    let rotate = format!("/v1/keys/{}/rotate", id_of(&new));
    practice.api.post(&rotate, &json!({"overlap_hours": 0})).send().is(201);
    asks(text(&new)).is_refused(401, "expired-key");
    let again = practice.api.post(&rotate, &json!({})).send();
    again.is_refused(409, "key-ended");
    let longer = format!("/v1/keys/{}/rotate", id_of(&old));
    practice
        .api
        .post(&longer, &json!({"overlap_hours": 721}))
        .send()
        .is_refused(422, "invalid-body");
}

#[test]
fn a_key_of_another_tenant_is_not_there() {
    let (ours, theirs) = (a_practice(), a_practice());
    let key = made(&theirs.api, &["availability"]);
    let at = format!("/v1/keys/{}", id_of(&key));
    ours.api.get(&at).send().is_refused(404, "not-found");
    for action in ["revoke", "rotate"] {
        let path = format!("{at}/{action}");
        ours.api.post(&path, &json!({})).send().is_refused(404, "not-found");
    }
    theirs.api.with_key(Some(text(&key))).get("/v1/services").send().has_status(200);
}

#[test]
fn it_is_listed_when_a_key_was_used() {
    let practice = a_practice();
    let key = made(&practice.api, &["availability"]);
    let at = format!("/v1/keys/{}", id_of(&key));
    assert_eq!(practice.api.get(&at).send().is(200).get("last_used_at"), None);
    let holder = practice.api.with_key(Some(text(&key)));
    holder.get("/v1/services").send().has_status(200);
    let used = eventually("it is written", || {
        practice.api.get(&at).send().is(200).get("last_used_at").cloned()
    });
    holder.get("/v1/services").send().has_status(200);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(practice.api.get(&at).send().is(200)["last_used_at"], used, "once a minute");
}

/// What `docs/security.md` tells those who look for keys that leaked.
#[test]
fn a_key_has_the_form_that_scanners_are_told() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```regex\n").unwrap();
    let (pattern, _) = rest.split_once('\n').unwrap();
    let practice = a_practice();
    let key = made(&practice.api, &["availability"]);
    for key in [text(&key), practice.api.key().unwrap()] {
        let found = std::process::Command::new("grep")
            .args(["-Eox", pattern])
            .stdin(piped(key))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout).trim(), key, "{pattern}");
    }
}

/// A file that has this text.
fn piped(text: &str) -> std::fs::File {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().unwrap();
    writeln!(file, "{text}").unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn the_command_line_makes_lists_rotates_and_revokes() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let run = |arguments: &[&str]| {
        let told = database.run(&[&["key"], arguments, &["--tenant", "one"]].concat()).succeeded();
        told.trim().to_owned()
    };
    let options =
        ["--scopes", "availability,appointments", "--name", "Front desk", "--expires-in-days", "7"];
    let key = database.key_with("one", &options);
    let listed = run(&["list"]);
    let id = listed.split(' ').next().unwrap().to_owned();
    for part in ["  availability,appointments  ", "  Front desk", "  expires 20"] {
        assert!(listed.contains(part), "{listed}");
    }
    let asks = |key: &str| server.api(Some(key.to_owned())).get("/v1/services").send().status;
    assert_eq!(asks(&key), 200);
    let new = run(&["rotate", &id, "--overlap-hours", "2"]);
    assert_eq!((asks(&key), asks(&new)), (200, 200));
    run(&["revoke", &id]);
    eventually("it opens nothing any more", || (asks(&key) == 401).then_some(()));
    assert_eq!(asks(&new), 200);
    let listed = run(&["list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.lines().next().unwrap().contains("  revoked 20"), "{listed}");
    let both = ["key", "create", "--tenant", "one", "--scope", "read", "--scopes", "book"];
    let refused = database.run(&both).failed();
    assert!(refused.contains("cannot be used with"), "{refused}");
}
