//! The master key is replaced while clients are registered, changed and read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::harness::{Database, Practice, Server, id_of};

#[test]
fn a_master_key_is_replaced_under_load_without_an_error_and_wraps_nothing_after_it() {
    let database = Database::fresh();
    let new = format!("daybook-master-key-1:{:064x}", 7);
    let run = |keys: &str, arguments: &[&str]| {
        let mut command = database.daybook(&[&["master-key"], arguments].concat());
        let output = command.env("DAYBOOK_MASTER_KEY", keys).env("NEW", &new).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let old_first = "env:DAYBOOK_KEY_OF_TESTS,env:NEW";
    let new_first = "env:NEW,env:DAYBOOK_KEY_OF_TESTS";
    // All programs have both, and then one after the other begins to wrap by the new one.
    let environment = |keys: &'static str| [("DAYBOOK_MASTER_KEY", keys), ("NEW", &*new)];
    let one = Server::start_in(&database, &environment(old_first));
    one.wait_until_ready();
    let practice = Practice::on(&one);
    for n in 0..700 {
        practice.created("/v1/clients", &json!({"name": format!("Client {n}")}));
    }
    let old = run(old_first, &["list"]).split(' ').next().unwrap().to_owned();
    let other = Server::start_in(&database, &environment(new_first));
    other.wait_until_ready();
    let over = AtomicBool::new(false);
    let work = |at: &Server, n: usize| {
        let practice = practice.moved_to(at);
        let mut done = 0;
        while !over.load(Ordering::Relaxed) || done < 20 {
            let name = format!("Visitor {n} {done}");
            let made = practice.api.post("/v1/clients", &json!({"name": name})).send();
            let path = format!("/v1/clients/{}", id_of(&made.is(201)));
            practice.api.patch(&path, &json!({"notes": name})).send().is(200);
            assert_eq!(practice.api.get(&path).send().is(200)["name"], name);
            done += 1;
        }
        done
    };
    let done: usize = thread::scope(|scope| {
        let work = &work;
        // Whoever still wraps by the old one would never let it go.
        let workers: Vec<_> = (0..3)
            .map(|n| {
                scope.spawn({
                    let other = &other;
                    move || work(other, n)
                })
            })
            .collect();
        let said = run(new_first, &["rotate"]);
        assert!(said.contains("wrapped"), "{said}");
        over.store(true, Ordering::Relaxed);
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let listed = run(new_first, &["list"]);
    let of_old = listed.lines().find(|line| line.starts_with(&old)).unwrap();
    assert!(of_old.ends_with("wraps 0"), "{listed}");
    run(new_first, &["retire", &old]);
    println!("{done} clients were registered, changed and read meanwhile");
}
