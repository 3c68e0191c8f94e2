//! Endpoints whose names lead elsewhere from one delivery to the next, by the names that this machine knows.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::endpoint::{Endpoint, Message};
use super::{LOCAL, deliveries, head};
use crate::harness::{Database, Practice, Server, eventually, id_of, monday};

/// A name that leads where a test says.
struct Name {
    folder: TempDir,
}

impl Name {
    const NAME: &'static str = "hooks.daybook.example";

    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn hosts(&self) -> PathBuf {
        self.folder.path().join("hosts")
    }

    fn leads_to(&self, addresses: &[&str]) {
        let line = |address: &&str| format!("{address} {}\n", Self::NAME);
        let lines: String = addresses.iter().map(line).collect();
        // Whoever looks it up sees one or the other.
        let next = self.folder.path().join("next");
        fs::write(&next, lines).unwrap();
        fs::rename(next, self.hosts()).unwrap();
    }

    /// A program that looks names up there first.
    fn server(&self, options: &[&str]) -> Server {
        let (database, hosts) = (Database::fresh(), self.hosts());
        let environment =
            [("LD_PRELOAD", nss_wrapper()), ("NSS_WRAPPER_HOSTS", hosts.to_str().unwrap())];
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], options].concat();
        let server = Server::start_as(&database, &arguments, &environment);
        server.wait_until_ready();
        server
    }
}

/// Debian's library; the loader finds it by its name.
fn nss_wrapper() -> &'static str {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let is_there = |folder: &&str| PathBuf::from(folder).join("libnss_wrapper.so").is_file();
    assert!(
        folders.iter().any(is_there),
        "libnss-wrapper is not installed: `cargo xtask test` installs it, or `apt-get install libnss-wrapper`"
    );
    "libnss_wrapper.so"
}

/// It is tried once more, at once, and fails for this.
#[track_caller]
fn fails_again(practice: &Practice, id: &str, why: &str) {
    let before = deliveries(practice, id).len();
    let at = format!("/v1/webhooks/{id}");
    for active in [false, true] {
        practice.api.patch(&at, &json!({"active": active})).send().is(200);
    }
    let failure = eventually("it is tried once more", || {
        let deliveries = deliveries(practice, id);
        (deliveries.len() > before).then(|| deliveries[0]["failure"].clone())
    });
    assert_eq!(failure, why);
}

#[test]
fn a_name_is_looked_up_for_each_delivery_and_followed_nowhere_inside() {
    let (name, endpoint) = (Name::new(), Endpoint::new());
    name.leads_to(&["127.0.0.1"]);
    let server = name.server(&[LOCAL]);
    let practice = Practice::on(&server);
    let before = head(&practice);
    let (_, port) = endpoint.url.rsplit_once(':').unwrap();
    let url = format!("http://{}:{port}", Name::NAME);
    let id = id_of(&practice.api.post("/v1/webhooks", &json!({"url": url})).send().is(201));
    practice.booked(monday(8, 0));
    assert_eq!(endpoint.has_taken(1)[0].position(), before + 1);
    // It led to this machine, which is allowed here; from now on it leads to another's, or to both.
    name.leads_to(&["10.0.0.1"]);
    practice.booked(monday(9, 0));
    for addresses in [&["10.0.0.1"][..], &["169.254.169.254"], &["127.0.0.1", "10.0.0.1"]] {
        name.leads_to(addresses);
        fails_again(&practice, &id, "not-public");
        assert_eq!(endpoint.told().len(), 1, "{addresses:?}");
    }
    // To a third, which is this machine's again.
    let port = port.split('/').next().unwrap();
    let other = Endpoint::at(&format!("127.0.0.2:{port}"));
    name.leads_to(&["127.0.0.2"]);
    practice.booked(monday(10, 0));
    let positions: Vec<u64> = other.has_taken(2).iter().map(Message::position).collect();
    assert_eq!(positions, [before + 2, before + 3]);
    assert_eq!(endpoint.told().len(), 1, "nobody is asked where the name led before");
}

#[test]
fn a_name_that_leads_to_this_machine_is_not_followed_where_that_is_not_allowed() {
    let name = Name::new();
    name.leads_to(&["127.0.0.1"]);
    let server = name.server(&[]);
    let practice = Practice::on(&server);
    let url = format!("https://{}:9/", Name::NAME);
    let id = id_of(&practice.api.post("/v1/webhooks", &json!({"url": url})).send().is(201));
    practice.booked(monday(8, 0));
    fails_again(&practice, &id, "not-public");
}
