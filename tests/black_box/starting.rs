//! How the program starts, and what it says when it cannot.

use std::net::TcpListener;

use crate::harness::{Api, Database, Finished, Server, at_once};

fn serve(database: &Database) -> Finished {
    database.run(&["serve", "--listen", "127.0.0.1:0"])
}

#[test]
fn a_url_of_something_else_is_refused_and_its_password_is_not_repeated() {
    for url in ["mysql://me:secret@127.0.0.1/daybook", "daybook:secret", "postgres//me:secret@h"] {
        let said = serve(&Database::at(url)).one_sentence();
        assert!(said.contains("DAYBOOK_DATABASE_URL") && said.contains("postgres://"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_connection_that_is_refused_is_said_to_be() {
    let database = Database::unreachable();
    let said = database.run(&["migrate"]).failed();
    assert!(said.contains("127.0.0.1:1: Connection refused"), "{said}");
    let server = Server::start_unready(&database, &[]);
    let log = server.log_with("127.0.0.1:1: Connection refused");
    for log in [said, log] {
        assert!(!log.contains("pool timed out"), "{log}");
    }
}

#[test]
fn an_address_that_is_taken_is_said_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (option, way_out) in
        [("--listen", "--listen"), ("--operations-listen", "--operations-listen")]
    {
        let database = Database::embedded();
        let said = database.run(&["serve", option, &address]).one_sentence();
        assert!(said.contains(&address) && said.contains("in use"), "{said}");
        assert!(said.contains(way_out), "{said}");
        assert!(!database.data_dir().exists(), "nothing was made for it");
    }
}

#[test]
fn without_a_subcommand_it_listens_where_it_is_told_to() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (port, wanted) = (free.to_string(), format!("http://127.0.0.1:{free}"));
    let address = format!("127.0.0.1:{free}");
    let started = |arguments: &[&str], environment: &[(&str, &str)]| {
        let server = Server::start_as(&Database::fresh(), arguments, environment);
        assert_eq!(server.url, wanted, "{arguments:?} {environment:?}");
        assert!(server.said().contains("curl "), "it is the demo: {}", server.said());
        Api::new(server.url.clone(), None).get("/livez").send().has_status(200);
    };
    started(&["--listen", &address], &[]);
    started(&["--port", &port], &[]);
    started(&[], &[("DAYBOOK_LISTEN", &address)]);
    started(&[], &[("PORT", &port)]);
    started(&[], &[("PORT", &port), ("DAYBOOK_LISTEN", "127.0.0.1")]);
    // Of two ports the one that stands with the address.
    started(&[], &[("PORT", "1"), ("DAYBOOK_LISTEN", &address)]);
    let unknown = Database::fresh().run(&["--lissten", &address]).failed();
    assert!(unknown.contains("--lissten"), "{unknown}");
}

#[test]
fn a_second_server_on_a_folder_says_at_once_who_has_it() {
    let database = Database::embedded();
    let first = Server::start(&database);
    let said = serve(&database).one_sentence();
    assert!(said.contains(&format!("in use by process {}", first.id())), "{said}");
    assert!(said.contains("--data-dir"), "{said}");
}

#[test]
fn subcommands_at_once_share_one_postgresql_and_the_last_one_out_stops_it() {
    let database = Database::embedded();
    let keys = at_once(18, |n| database.key(&format!("tenant-{}", n % 3), "read"));
    assert!(keys.iter().all(|key| !key.is_empty()));
    assert_eq!(database.postmaster(), None, "it has stopped");
    // All of it was done on one cluster.
    let server = Server::start(&database);
    for key in keys {
        server.api(Some(key)).get("/v1/services").send().is(200);
    }
}
