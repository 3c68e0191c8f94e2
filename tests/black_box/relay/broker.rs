//! A RabbitMQ of its own, on free ports and with a folder of its own. Nothing of it is left when it is dropped, or the tests end.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{spawn, within};
use crate::tls::Authority;

const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

pub(crate) struct Rabbit {
    folder: TempDir,
    /// Who vouches for it, where it speaks TLS and nothing else.
    authority: Option<String>,
    ports: Ports,
    node: Child,
    /// Erlang's directory of nodes, which would stay behind as a daemon if a node had to start one.
    names: Child,
}

#[derive(Clone, Copy)]
struct Ports {
    amqp: u16,
    distribution: u16,
    names: u16,
}

impl Rabbit {
    /// One that answers.
    pub(crate) fn start() -> Self {
        Self::start_with("[].")
    }

    /// One with these plugins, that answers.
    pub(super) fn start_with(plugins: &str) -> Self {
        Self::begin(plugins, None)
    }

    /// One that speaks TLS and nothing else, with what this authority has signed for 127.0.0.1; it is at 127.0.0.2, too.
    pub(super) fn secure(authority: &Authority) -> Self {
        authority.signs("broker");
        Self::begin("[].", Some(authority))
    }

    fn begin(plugins: &str, authority: Option<&Authority>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("plugins"), plugins).unwrap();
        let [amqp, distribution, names] = free_ports();
        let ports = Ports { amqp, distribution, names };
        if let Some(authority) = authority {
            fs::write(folder.path().join("rabbitmq.conf"), by_tls(authority, amqp)).unwrap();
        }
        let mut epmd = Command::new("epmd");
        epmd.args(["-port", &names.to_string(), "-address", "127.0.0.1"]);
        let names = started(epmd);
        within(Duration::from_mins(1), "epmd is up", || is_open(ports.names).then_some(()));
        let node = started(of_node("rabbitmq-server", folder.path(), ports));
        let authority = authority.map(|authority| authority.text("ca.pem"));
        let rabbit = Self { folder, authority, ports, node, names };
        rabbit.is_up();
        rabbit
    }

    pub(crate) fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// How it is reached by another address.
    pub(super) fn url_at(&self, host: &str) -> String {
        self.url_of(host, self.ports.amqp)
    }

    /// How it is reached through somebody who listens there.
    pub(super) fn url_at_port(&self, port: u16) -> String {
        self.url_of("127.0.0.1", port)
    }

    fn url_of(&self, host: &str, port: u16) -> String {
        let scheme = if self.authority.is_some() { "amqps" } else { "amqp" };
        format!("{scheme}://guest:guest@{host}:{port}/%2f")
    }

    pub(super) fn port(&self) -> u16 {
        self.ports.amqp
    }

    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    fn is_up(&self) {
        within(Duration::from_mins(2), "RabbitMQ is up", || is_open(self.ports.amqp).then_some(()));
    }

    /// `kill -9`, and waits until it is gone.
    pub(super) fn kill_dash_9(&mut self) {
        self.node.kill().unwrap();
        self.node.wait().unwrap();
    }

    /// Once more, with what it had.
    pub(super) fn start_again(&mut self) {
        self.node = started(of_node("rabbitmq-server", self.folder.path(), self.ports));
        self.is_up();
    }

    /// What an operator tells it.
    pub(super) fn control(&self, arguments: &[&str]) {
        let mut command = of_node("rabbitmqctl", self.folder.path(), self.ports);
        let said = command.args(arguments).output().unwrap();
        assert!(said.status.success(), "{arguments:?}: {said:?}");
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        for child in [&mut self.node, &mut self.names] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ports that nobody has, and none of them twice.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// What a broker is told that is to speak TLS alone.
fn by_tls(authority: &Authority, port: u16) -> String {
    let file = |name| authority.text(name);
    format!(
        "listeners.tcp = none\n\
         listeners.ssl.1 = 127.0.0.1:{port}\n\
         listeners.ssl.2 = 127.0.0.2:{port}\n\
         ssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\n\
         ssl_options.keyfile = {}\n\
         ssl_options.verify = verify_none\n",
        file("ca.pem"),
        file("broker.pem"),
        file("broker.key")
    )
}

fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    spawn(command).unwrap_or_else(|error| {
        panic!("{error}: `cargo xtask test` installs rabbitmq-server, or says what is missing")
    })
}

/// One of RabbitMQ's programs, for the node of this folder.
fn of_node(program: &str, folder: &Path, ports: Ports) -> Command {
    let mut command = Command::new(Path::new(PROGRAMS).join(program));
    // Where it leaves what it was doing when it is killed.
    command.current_dir(folder);
    for (name, file) in [
        ("HOME", ""),
        ("TMPDIR", ""),
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced"),
        ("RABBITMQ_CONF_ENV_FILE", "environment"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
        ("RABBITMQ_SCHEMA_DIR", "schema"),
        ("RABBITMQ_PLUGINS_EXPAND_DIR", "expanded"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_PID_FILE", "pid"),
    ] {
        command.env(name, folder.join(file));
    }
    for (name, port) in [
        ("RABBITMQ_NODE_PORT", ports.amqp),
        ("RABBITMQ_DIST_PORT", ports.distribution),
        ("ERL_EPMD_PORT", ports.names),
    ] {
        command.env(name, port.to_string());
    }
    command
        .env("RABBITMQ_NODENAME", format!("daybook-{}@localhost", ports.amqp))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        // Else a shell stands between the node and whoever kills it.
        .env("RABBITMQ_ALLOW_INPUT", "1")
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-noinput +S 1:1");
    command
}
