//! A real proxy in front of two nodes, configured as `deploy/` has it; only the ports are the test's.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use crate::harness::{eventually, spawn};

/// The proxies that are tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Nginx,
    /// nginx as it is where nobody has configured more than where to pass requests on to.
    BareNginx,
    Haproxy,
    /// haproxy that sends no request again, not even one that reached nobody.
    HaproxyTriesOnce,
    Envoy,
}

/// A running proxy; killed when dropped.
pub(super) struct Proxy {
    pub(super) url: String,
    child: Child,
    _folder: TempDir,
}

/// A port that nobody listens on, and that the system gives to no outgoing connection.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 8_000).unwrap();
    loop {
        let port = 20_000 + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Proxy {
    /// One in front of the nodes at these ports.
    pub(super) fn start(kind: Kind, nodes: [u16; 2]) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let ports = |text: String| {
            let all = [("8080", port), ("8081", nodes[0]), ("8082", nodes[1])];
            all.iter().fold(text, |text, (shipped, ours)| text.replace(shipped, &ours.to_string()))
        };
        let at = folder.path();
        let write = |name: &str, text: String| {
            fs::write(at.join(name), text).unwrap();
            at.join(name)
        };
        let command = match kind {
            Kind::Nginx => nginx(at, &ports(shipped("nginx/daybook.conf"))),
            Kind::BareNginx => {
                let server = "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8081; } }";
                nginx(at, &ports(server.to_owned()))
            }
            Kind::Haproxy => haproxy(&write("haproxy.cfg", ports(shipped("haproxy/haproxy.cfg")))),
            Kind::HaproxyTriesOnce => {
                let config = tries_once(&ports(shipped("haproxy/haproxy.cfg")));
                haproxy(&write("haproxy.cfg", config))
            }
            Kind::Envoy => envoy(&write("envoy.yaml", ports(shipped("envoy/envoy.yaml")))),
        };
        Self::run(command, port, folder)
    }

    pub(super) fn run(mut command: Command, port: u16, folder: TempDir) -> Self {
        let log = folder.path().join("log");
        command.stdin(Stdio::null()).stdout(File::create(&log).unwrap());
        command.stderr(File::options().append(true).open(&log).unwrap());
        let shown = format!("{command:?}");
        let mut child = spawn(command).unwrap_or_else(|error| {
            panic!(
                "{error}: {shown}: `cargo xtask test` installs the proxies, or says what is missing"
            )
        });
        eventually("the proxy listens", || {
            if let Some(ended) = child.try_wait().unwrap() {
                panic!("{shown}: {ended}: {}", fs::read_to_string(&log).unwrap());
            }
            TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
        });
        Self { url: format!("http://127.0.0.1:{port}"), child, _folder: folder }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn envoy(config: &Path) -> Command {
    let mut command = program("envoy");
    // Who follows files of secrets must have a name.
    command.args(["--service-node", "one", "--service-cluster", "tests"]);
    command.args(["--disable-hot-restart", "--concurrency", "1", "-l", "warning", "-c"]);
    command.arg(config);
    command
}

fn haproxy(config: &Path) -> Command {
    let mut command = program("haproxy");
    command.arg("-db").arg("-f").arg(config);
    command
}

/// The same configuration without a word of sending anything again.
fn tries_once(config: &str) -> String {
    let again = ["retries ", "option redispatch", "retry-on ", "http-request disable-l7-retry"];
    let is_of_that = |line: &&str| again.iter().any(|word| line.trim_start().starts_with(word));
    let (removed, kept): (Vec<&str>, Vec<&str>) = config.lines().partition(is_of_that);
    assert_eq!(removed.len(), again.len(), "{removed:?}");
    format!("{}\n    retries 0\n", kept.join("\n"))
}

/// nginx with this in its `http` block.
fn nginx(folder: &Path, http: &str) -> Command {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()));
    let config = format!(
        "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{1}{http}\n}}\n",
        folder.display(),
        temporary.concat()
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, config).unwrap();
    let mut command = program("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path);
    command
}

/// A program that xtask has fetched, or that is installed: Debian has servers where only root looks.
fn program(name: &str) -> Command {
    let us = std::env::current_exe().unwrap();
    let fetched = us.ancestors().nth(3).unwrap().join("python").join(name).join("bin").join(name);
    let installed = Path::new("/usr/sbin").join(name);
    let path = [fetched, installed].into_iter().find(|path| path.exists());
    Command::new(path.unwrap_or_else(|| PathBuf::from(name)))
}
