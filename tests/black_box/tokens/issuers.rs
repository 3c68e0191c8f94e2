//! `/v1/issuers`, and `daybook issuer`.

use serde_json::{Value, json};

use super::{add, an_issuer};
use crate::harness::{Database, Practice, Server, a_practice, id_of};

const URL: &str = "https://login.example.org/realms/clinic";

fn for_(practice: &Practice) -> Value {
    an_issuer(URL, &practice.tenant)
}

#[test]
fn an_issuer_is_added_listed_and_removed() {
    let practice = a_practice();
    let answer = add(&practice.api, &for_(&practice));
    let added = answer.is(201);
    let at = format!("/v1/issuers/{}", id_of(&added));
    assert_eq!(answer.header("location"), Some(&*at));
    assert_eq!(added["token_types"], json!(["at+jwt"]), "unless it says more");
    for member in ["issuer", "audience", "algorithms", "grants"] {
        assert_eq!(added[member], for_(&practice)[member]);
    }
    assert_eq!(practice.api.get(&at).send().is(200), added);
    let listed = || practice.api.get("/v1/issuers").send().is(200);
    assert_eq!(listed(), json!({"items": [added]}));
    practice.api.request("DELETE", &format!("{at}?dry_run=true")).send().is(200);
    assert_eq!(practice.api.request("DELETE", &at).send().is(200), added);
    practice.api.get(&at).send().is_refused(404, "not-found");
    practice.api.request("DELETE", &at).send().is_refused(404, "not-found");
    assert_eq!(listed(), json!({"items": []}));
    let audited = practice.api.get("/v1/audit").send();
    let ours = format!("issuer {}", id_of(&added));
    assert_eq!(audited.text.matches(&ours).count(), 2, "added and removed: {audited:#?}");
    // It can come back.
    add(&practice.api, &for_(&practice)).is(201);
}

#[test]
fn an_issuer_and_audience_are_of_one_tenant() {
    let (ours, theirs) = (a_practice(), a_practice());
    let added = add(&ours.api, &for_(&ours)).is(201);
    for practice in [&ours, &theirs] {
        add(&practice.api, &for_(&ours)).is_refused(409, "issuer-taken");
    }
    add(&theirs.api, &for_(&theirs)).is(201);
    let at = format!("/v1/issuers/{}", id_of(&added));
    theirs.api.get(&at).send().is_refused(404, "not-found");
    theirs.api.request("DELETE", &at).send().is_refused(404, "not-found");
    ours.api.get(&at).send().is(200);
}

#[test]
fn nobody_gives_by_an_issuer_what_their_own_key_is_not_good_for() {
    let practice = a_practice();
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", "keys,manage"]);
    let problem = add(&practice.api.with_key(Some(&key)), &for_(&practice));
    let problem = problem.is_refused(403, "insufficient-scope");
    assert_eq!(problem["required_scope"], "availability");
}

#[test]
fn an_issuer_that_cannot_be_trusted_is_refused() {
    let practice = a_practice();
    let but = |member: &str, value: Value| {
        let mut issuer = for_(&practice);
        issuer[member] = value;
        issuer
    };
    let grant = json!({"claim": "scope", "value": "a", "scopes": ["book"]});
    let with = |member: &str, value: Value| {
        let mut grant = grant.clone();
        grant[member] = value;
        but("grants", json!([grant]))
    };
    for (bad, why) in [
        (but("issuer", json!("http://login.example.org")), "issuer"),
        (but("issuer", json!("http://127.0.0.1:1")), "without TLS"),
        (but("issuer", json!("https://login.example.org/?a=b")), "issuer"),
        (but("issuer", json!("file:///etc/passwd")), "issuer"),
        (but("audience", json!("")), "audience"),
        (but("algorithms", json!([])), "algorithms"),
        (but("algorithms", json!(["none"])), "algorithms"),
        (but("algorithms", json!(["HS256"])), "algorithms"),
        (but("algorithms", json!(["RS256", "HS512"])), "algorithms"),
        (but("token_types", json!([])), "token_types"),
        (but("token_types", json!(["id_token"])), "token_types"),
        (but("grants", json!([])), "grants"),
        (but("grants", Value::Array(vec![grant.clone(); 51])), "grants"),
        (with("scopes", json!([])), "grants"),
        (with("scopes", json!(["everything"])), "everything"),
        (with("claim", json!("")), "claim"),
        (with("claim", json!("a b")), "claim"),
        (with("value", json!("")), "value"),
        (but("tenant", json!("another")), "tenant"),
    ] {
        let problem = add(&practice.api, &bad).is_refused(422, "invalid-body");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{bad}: {problem}");
    }
    for n in 0..20 {
        add(&practice.api, &but("audience", json!(format!("{}-{n}", practice.tenant)))).is(201);
    }
    let problem = add(&practice.api, &for_(&practice)).is_refused(409, "too-many-issuers");
    assert_eq!(problem["limit"], 20);
}

#[test]
fn the_command_line_adds_lists_and_removes() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let run = |arguments: &[&str]| {
        let tenant = ["--tenant", &practice.tenant];
        database.run(&[&["issuer"], arguments, &tenant].concat())
    };
    let options = [
        "add",
        "--issuer",
        URL,
        "--audience",
        "clinic",
        "--algorithm",
        "RS256,ES256",
        "--grant",
        "/realm_access/roles=front desk=availability,book",
        "--grant",
        "scope=a=b=analytics",
    ];
    let added = run(&options).succeeded();
    let id = added.split(' ').next().unwrap().to_owned();
    assert_eq!(run(&["list"]).succeeded(), added);
    assert!(added.contains("RS256,ES256  at+jwt"), "{added}");
    let seen = practice.api.get(&format!("/v1/issuers/{id}")).send().is(200);
    assert_eq!(
        seen["grants"],
        json!([
            {"claim": "/realm_access/roles", "value": "front desk", "scopes": ["availability", "book"]},
            {"claim": "scope", "value": "a=b", "scopes": ["analytics"]},
        ])
    );
    assert!(run(&options).failed().contains("another audience"));
    let mut bad = options;
    bad[6] = "HS256";
    assert!(run(&bad).failed().contains("RS256, PS256, ES256 or EdDSA"));
    run(&["remove", &id]).succeeded();
    assert!(run(&["remove", &id]).failed().contains("no such issuer"));
    assert_eq!(run(&["list"]).succeeded(), "");
}
