//! `daybook` as it is started first: with a demo, and lines to paste into a shell.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Database, Server, eventually};

/// The lines to paste: those that stand further in than what is said about them.
fn lines_to_paste(said: &str) -> String {
    let lines = said.lines().filter_map(|line| line.strip_prefix("    "));
    lines.fold(String::new(), |script, line| script + line + "\n")
}

/// What is answered when the lines are pasted into a shell.
fn pasted(database: &Database, said: &str) -> Vec<Value> {
    let ran = database.run_script(&lines_to_paste(said), Path::new("/"), &[]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let answers = serde_json::Deserializer::from_str(&ran.stdout).into_iter();
    answers.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {ran:#?}"))
}

fn ids(page: &Value) -> BTreeSet<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_it_prints_books_each_time_that_it_is_pasted_and_finds_all_of_it() {
    let database = Database::embedded();
    let server = Server::start_with(&database, &["--demo"]);
    let said = server.said();
    assert!(said.contains(&format!("{}/docs", server.url)), "{said}");
    let [first, _] = &pasted(&database, &said)[..] else { panic!("two answers: {said}") };
    let [second, _] = &pasted(&database, &said)[..] else { panic!("two answers: {said}") };
    assert_eq!([&first["status"], &second["status"]], ["booked", "booked"]);
    assert!(first["start_at"].as_str() < second["start_at"].as_str(), "{first} {second}");

    server.interrupt();
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    drop(server);
    let server = Server::start_with(&database, &["--demo"]);
    let again = server.said();
    let key = |said: &str| {
        let line = said.lines().find(|line| line.trim().starts_with("KEY="));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(key(&again), key(&said), "its key is kept");
    let [third, _] = &pasted(&database, &again)[..] else { panic!("two answers: {again}") };
    let booked = [first, second, third].map(|booked| booked["id"].as_str().unwrap().to_owned());
    let key = key(&again).replace("KEY=", "");
    let found = eventually("all three are found", || {
        let page =
            server.api(Some(key.clone())).get("/v1/appointments?category=care").send().is(200);
        Some(ids(&page)).filter(|found| found.len() >= 3)
    });
    assert_eq!(found, BTreeSet::from(booked), "the practice is furnished once");
}
