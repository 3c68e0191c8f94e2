//! `daybook ready`, for whoever can only run a program, like the health check of a container.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::harness::{Database, Finished, Server, eventually, run};

fn ask(url: &str) -> Finished {
    Database::unreachable().run(&["ready", "--url", url])
}

/// Why it is not ready.
#[track_caller]
fn refused(finished: Finished) -> String {
    assert_eq!(finished.stdout, "", "{finished:#?}");
    finished.one_sentence()
}

#[test]
fn a_server_that_can_be_sent_requests_is_ready() {
    let server = Server::start(&Database::fresh());
    // What is measured of it may be late for a moment.
    let ready = |finished: Finished| {
        (finished.code == Some(0) && finished.stdout == "ready\n").then_some(())
    };
    eventually("it is ready", || ready(ask(&server.operations)));
    // As in a container: the server listens on all addresses, and both have one environment.
    let port = server.operations.rsplit(':').next().unwrap();
    eventually("it is ready where it is to listen", || {
        let mut command = Database::unreachable().daybook(&["ready"]);
        command.env("DAYBOOK_OPERATIONS_LISTEN", format!("0.0.0.0:{port}"));
        ready(run(command))
    });
}

#[test]
fn a_server_without_its_database_or_that_stops_is_not_ready_and_says_why() {
    // It drains until the test ends it.
    let server = Server::start_in(&Database::unreachable(), &[("DAYBOOK_DRAIN_SECONDS", "600")]);
    let said = refused(ask(&server.operations));
    assert!(said.contains("daybook: not ready: "), "{said}");
    server.interrupt();
    eventually("it says that it is stopping", || {
        refused(ask(&server.operations)).contains("stopping").then_some(())
    });
}

#[test]
fn whoever_is_not_there_is_not_ready() {
    // Held, and nobody listens any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = refused(ask(&format!("http://{closed}")));
    assert!(said.contains(&closed.to_string()) && said.contains("no server answers"), "{said}");
}

#[test]
fn something_else_that_answers_is_not_ready() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in other.incoming().map_while(Result::ok) {
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
        }
    });
    let said = refused(ask(&url));
    assert!(said.contains("something else"), "{said}");
}

#[test]
fn whom_to_ask_has_to_be_said_and_is_an_operations_port() {
    let said = refused(Database::unreachable().run(&["ready"]));
    assert!(said.contains("--url") && said.contains("DAYBOOK_OPERATIONS_LISTEN"), "{said}");
    let urls = [
        "https://127.0.0.1:9464",
        "http://127.0.0.1:9464/metrics",
        "http://u:secret@127.0.0.1:9464",
    ];
    for url in urls {
        let said = refused(ask(url));
        assert!(said.contains("http://127.0.0.1:9464"), "{said}");
    }
}

/// As the container image is told to.
#[test]
fn where_daybook_is_to_run_no_postgresql_it_says_what_it_needs() {
    let database = Database::embedded();
    for arguments in [&["serve"][..], &["migrate"], &["key", "list", "--tenant", "t"], &["doctor"]]
    {
        let mut command = database.daybook(arguments);
        command.env("DAYBOOK_DATABASE_ELSEWHERE", "true");
        let said = refused(run(command));
        assert!(
            said.contains("set DAYBOOK_DATABASE_URL") && said.contains("postgres://"),
            "{said}"
        );
    }
    assert!(!database.data_dir().exists(), "nothing was made for it");
}
