//! schemathesis sends every operation what the document allows and what it forbids, and compares what comes back with
//! what the document says.

use std::env;

use serde_json::{Map, Value, json};

use crate::clients::{python, ran, repository};
use crate::every_operation::house::House;
use crate::harness::{Database, Practice, Server};

/// How many requests of each kind are made up for an operation; more of them find more.
const EXAMPLES: &str = "DAYBOOK_SCHEMATHESIS";

/// Where its choices come from.
const SEED: &str = "DAYBOOK_SEED";

fn or(variable: &str, otherwise: &str) -> String {
    env::var(variable).unwrap_or_else(|_| otherwise.to_owned())
}

/// What of each path there is, by operation, and what members of requests can name.
fn known(house: &House, document: &Value) -> Value {
    let mut paths = Map::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let asked = house.asked(&method, path).path;
            let asked = asked.split('?').next().unwrap();
            let parts = path.split('/').zip(asked.split('/'));
            let ids = parts.filter_map(|(name, part)| {
                let name = name.strip_prefix('{')?.strip_suffix('}')?;
                Some((name.to_owned(), json!(part)))
            });
            let ids: Map<String, Value> = ids.collect();
            paths.insert(format!("{method} {path}"), ids.into());
        }
    }
    let Practice { service, room, client, .. } = &house.practice;
    json!({"paths": paths, "members": {"service_id": service, "resource_id": room, "client_id": client}})
}

#[test]
fn what_the_document_allows_is_understood_and_what_it_forbids_is_refused() {
    // A server of its own: its projections are rebuilt many times.
    let server = Server::start(&Database::fresh());
    let house = House::on(&server);
    let document = server.api(None).get("/openapi.json").send().is(200);
    let key = server.database.key(&house.practice.tenant, "admin");
    let folder = tempfile::tempdir().unwrap();
    let files = repository().join("tests/clients");
    let mut run = python("schemathesis", "schemathesis");
    run.current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1");
    run.env("SCHEMATHESIS_HOOKS", files.join("hooks.py"));
    run.env("DAYBOOK_OPERATOR_KEY", house.operator.key().unwrap());
    run.env("DAYBOOK_KNOWN", known(&house, &document).to_string());
    run.arg("--config-file").arg(files.join("schemathesis.toml"));
    run.args(["run", "--no-color", "--checks", "all", "--no-shrink"]);
    run.args(["--seed", &or(SEED, "1"), "--max-examples", &or(EXAMPLES, "3")]);
    run.args(["--header", &format!("Authorization: Bearer {key}")]);
    let said = ran(run.arg(format!("{}/openapi.json", server.url)));
    println!("{said}");
    let paths = document["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    assert!(said.contains(&format!("Tested: {operations}")), "some were left out: {said}");
    for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] {
        assert!(said.contains(&format!("✅ {phase}")), "{phase} was left out: {said}");
    }
}
