//! A real Prometheus that scrapes a server, as `deploy/prometheus` configures it.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::deployed;
use crate::harness::{Api, Server, child, within};

/// Killed when dropped.
pub(super) struct Prometheus {
    api: Api,
    child: Child,
    _folder: TempDir,
}

impl Prometheus {
    /// Scrapes this server every second.
    pub(super) fn watching(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = server.operations.strip_prefix("http://").unwrap();
        let configured = fs::read_to_string(deployed("prometheus/prometheus.yml")).unwrap();
        let quick = configured.replace("daybook:9464", target).replace("15s", "1s");
        assert!(quick.contains(target) && quick.contains("scrape_interval: 1s"), "{quick}");
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, quick).unwrap();
        fs::copy(deployed("prometheus/rules.yml"), folder.path().join("rules.yml")).unwrap();

        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut command = program("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null());
        let child = child::spawn(command).expect("prometheus: `cargo xtask test` installs it");
        let prometheus =
            Self { api: Api::new(format!("http://{address}"), None), child, _folder: folder };
        within(Duration::from_secs(20), "prometheus is ready", || {
            (prometheus.api.get("/-/ready").try_send().ok()?.status == 200).then_some(())
        });
        prometheus
    }

    /// What an expression finds now: each with its value.
    pub(super) fn found(&self, expression: &str) -> Vec<Value> {
        let query = expression.bytes().fold(String::new(), |mut query, byte| {
            write!(query, "%{byte:02X}").unwrap();
            query
        });
        let answer = self.api.get(&format!("/api/v1/query?query={query}")).send().is(200);
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// The alert rules, as Prometheus has read them.
    pub(super) fn alerts(&self) -> Vec<Value> {
        let answer = self.api.get("/api/v1/rules?type=alert").send().is(200);
        let groups = answer["data"]["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).cloned().collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `promtool` says, in the folder of the rules.
pub(super) fn promtool(arguments: &[&str], input: Stdio) -> Output {
    let mut command = program("promtool");
    command.args(arguments).current_dir(deployed("prometheus")).stdin(input);
    command.output().expect("promtool: `cargo xtask test` installs it")
}

/// A program of Debian's package.
fn program(name: &str) -> Command {
    let installed = Path::new("/usr/bin").join(name);
    Command::new(if installed.exists() { installed } else { PathBuf::from(name) })
}
