//! Two nodes behind a real proxy: they come and go, and nobody notices.

mod load;
mod mesh;
mod proxy;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nix::sys::signal::Signal;
use serde_json::json;
use uuid::Uuid;

use self::load::{Load, Reader};
use self::proxy::{Kind, Proxy, free_port};
use crate::events::sse::Stream;
use crate::harness::{Api, Database, Practice, Server, eventually, monday, size};

/// How many requests at least are sent while nodes restart.
const POSTS: &str = "DAYBOOK_PROXY_POSTS";

/// Two nodes on one database, at ports that they keep.
struct Nodes {
    database: Database,
    ports: [u16; 2],
    drain: &'static str,
    running: [Option<Server>; 2],
}

impl Nodes {
    fn start(drain: &'static str) -> Self {
        let (database, ports) = (Database::fresh(), [free_port(), free_port()]);
        let mut nodes = Self { database, ports, drain, running: [None, None] };
        nodes.start_one(0);
        nodes.start_one(1);
        nodes
    }

    fn start_one(&mut self, which: usize) {
        let address = format!("127.0.0.1:{}", self.ports[which]);
        let node = Server::start_at(&self.database, &address, &["--drain-seconds", self.drain]);
        self.running[which] = Some(node);
    }

    /// Starts one anew, and waits until the proxy sends it requests again: of keys that lead to any node.
    fn start_again(&mut self, which: usize, proxy: &Api) {
        self.start_one(which);
        eventually("the proxy sends it requests", || {
            let stranger = proxy.with_key(Some(&Uuid::now_v7().to_string()));
            let _ = stranger.patch("/v1/tenant/settings", &json!({})).try_send();
            has_been_asked_to("PATCH", self.one(which)).then_some(())
        });
    }

    fn one(&self, which: usize) -> &Server {
        self.running[which].as_ref().expect("it runs")
    }

    fn restart(&mut self, which: usize, proxy: &Api) {
        self.one(which).signal(Signal::SIGTERM);
        assert_eq!(self.one(which).wait().code(), Some(0), "{}", self.one(which).log());
        self.start_again(which, proxy);
    }

    fn kill(&mut self, which: usize, proxy: &Api) {
        self.one(which).kill_dash_9();
        thread::sleep(Duration::from_millis(500));
        self.start_again(which, proxy);
    }
}

/// What came of requests that were sent while `during` happened.
fn under_load(load: &Load, posts: usize, during: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        load.start(scope, &over);
        let began = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        while result.is_ok() && load.sent() < posts && began.elapsed() < Duration::from_mins(10) {
            thread::sleep(Duration::from_millis(50));
        }
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Four rolling restarts and two `kill -9` behind a proxy, with a reader of the feed.
fn comes_and_goes_unseen(kind: Kind) {
    let mut nodes = Nodes::start("2");
    let proxy = Proxy::start(kind, nodes.ports);
    let practice = Practice::on(nodes.one(0));
    let practice = Practice { api: practice.api.at(&proxy.url), ..practice };
    let reader = Reader::start(practice.api.clone());

    let restarted = Load::new(&practice, false);
    under_load(&restarted, size(POSTS, 300), || {
        for n in [0, 1, 0, 1] {
            nodes.restart(n, &practice.api);
        }
    });
    println!("{kind:?}: {} sent over four restarts", restarted.sent());
    assert_eq!(restarted.failed(), Vec::<String>::new(), "of {}", restarted.sent());

    let killed = Load::new(&practice, true);
    under_load(&killed, 100, || [0, 1].into_iter().for_each(|n| nodes.kill(n, &practice.api)));
    println!("{kind:?}: {} failed of {} over two kills", killed.failed().len(), killed.sent());
    // At most what each client had under way.
    assert!(killed.failed().len() <= 2 * load::CLIENTS, "{:?}", killed.failed());

    let last = practice.booking(monday(0, 0) - TimeDelta::hours(1)).send().position();
    let seen = reader.until(last);
    assert_eq!(seen, (1..=last).collect::<Vec<_>>(), "each position once, in order");
    let booked = restarted.booked() + killed.booked() + 1;
    let events = nodes.database.sql().number(
        "SELECT count(*) FROM events WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'",
        &practice.tenant,
    );
    assert_eq!(usize::try_from(events).unwrap(), booked, "each booking once");
    nodes.database.run(&["verify"]).succeeded();
}

#[test]
fn behind_nginx_nodes_come_and_go_unseen() {
    comes_and_goes_unseen(Kind::Nginx);
}

#[test]
fn behind_haproxy_nodes_come_and_go_unseen() {
    comes_and_goes_unseen(Kind::Haproxy);
}

#[test]
fn behind_envoy_nodes_come_and_go_unseen() {
    comes_and_goes_unseen(Kind::Envoy);
}

/// What failed of POSTs that were sent over four restarts, behind a proxy that sends nothing again.
fn failed_over_restarts(drain: &'static str) -> Vec<String> {
    let mut nodes = Nodes::start(drain);
    let proxy = Proxy::start(Kind::HaproxyTriesOnce, nodes.ports);
    let practice = Practice::on(nodes.one(0));
    let practice = Practice { api: practice.api.at(&proxy.url), ..practice };
    let load = Load::new(&practice, false);
    let restarts = [0, 1, 0, 1];
    under_load(&load, 300, || restarts.into_iter().for_each(|n| nodes.restart(n, &practice.api)));
    println!("drain {drain} s: {} failed of {}", load.failed().len(), load.sent());
    load.failed()
}

#[test]
fn it_is_the_drain_that_lets_no_request_fail() {
    assert_eq!(failed_over_restarts("2"), Vec::<String>::new());
    assert_ne!(
        failed_over_restarts("0"),
        Vec::<String>::new(),
        "nothing shows what a drain is for"
    );
}

/// Whether it has had a request of this method.
fn has_been_asked_to(method: &str, node: &Server) -> bool {
    let metrics = node.operator().get("/metrics").send().text;
    let label = format!("http_request_method=\"{method}\"");
    metrics.lines().any(|line| line.contains(&label) && !line.ends_with(" 0"))
}

/// A node dies over a PUT: what it has done of it, nobody knows, so no other node does it. The next one meets a closed
/// port, and goes to the other.
fn sends_again_what_was_not_sent_and_nothing_else(kind: Kind) {
    let nodes = Nodes::start("0");
    let proxy = Proxy::start(kind, nodes.ports);
    let practice = Practice::on(nodes.one(0));
    let practice = Practice { api: practice.api.at(&proxy.url), ..practice };
    let settings = json!({"offer_minutes": 20});
    let put = || practice.api.request("PUT", "/v1/tenant/settings").json(&settings).send();
    let mut sql = nodes.database.sql();
    sql.run("BEGIN");
    sql.rows("SELECT 1 FROM tenants WHERE tenant_id = $1 FOR UPDATE", &practice.tenant);
    let (answer, other) = thread::scope(|scope| {
        let answer = scope.spawn(put);
        let asked = eventually("a node is asked", || {
            (0..2).find(|node| has_been_asked_to("PUT", nodes.one(*node)))
        });
        nodes.one(asked).kill_dash_9();
        (answer.join().unwrap(), 1 - asked)
    });
    assert!([502, 503].contains(&answer.status), "{answer:#?}");
    assert!(!has_been_asked_to("PUT", nodes.one(other)), "it was sent again");
    sql.run("ROLLBACK");
    assert_eq!(put().is(200)["offer_minutes"], 20);
}

#[test]
fn nginx_sends_again_what_was_not_sent_and_nothing_else() {
    sends_again_what_was_not_sent_and_nothing_else(Kind::Nginx);
}

#[test]
fn haproxy_sends_again_what_was_not_sent_and_nothing_else() {
    sends_again_what_was_not_sent_and_nothing_else(Kind::Haproxy);
}

#[test]
fn envoy_sends_again_what_was_not_sent_and_nothing_else() {
    sends_again_what_was_not_sent_and_nothing_else(Kind::Envoy);
}

#[test]
fn a_stream_comes_through_a_proxy_that_nobody_has_told_of_streams() {
    let node = Server::shared();
    let port = node.url.rsplit(':').next().unwrap().parse().unwrap();
    let proxy = Proxy::start(Kind::BareNginx, [port, port]);
    let practice = Practice::on(node);
    let asked = Instant::now();
    let mut stream = Stream::open(&practice.api.at(&proxy.url), "after=latest", None).unwrap();
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    practice.booked(monday(10, 0));
    assert_eq!(stream.next().unwrap().id, "4");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}
