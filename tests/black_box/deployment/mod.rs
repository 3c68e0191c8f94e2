//! What deploys daybook: the Dockerfile, compose files and Kubernetes manifests. Checked are the manifests as kustomize builds
//! them, by tools of the field and by rules of our own (`policy.py`), with what the program says of itself.

mod image;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::harness::Database;

/// All of `deploy/kubernetes/overlays`.
const OVERLAYS: [&str; 5] = ["dev", "test", "prod", "prod-linkerd", "prod-istio"];

const COMPOSE: [&str; 3] =
    ["docker-compose.yml", "deploy/compose/test.yml", "deploy/compose/prod.yml"];

/// What no file of ours can say: the digest is of an image that somebody pushes, and of one with a digest there is
/// nothing to pull again.
const NOT_ASKED: &str = "CKV_K8S_43,CKV_K8S_15";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A folder of what xtask has fetched.
fn fetched(folder: &str) -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join(folder)
}

/// A program of the Python environment that xtask makes for these tests.
fn tool(name: &str) -> Command {
    let program = fetched("python/deployment/bin").join(name);
    assert!(program.exists(), "{}: `cargo xtask test` makes it", program.display());
    Command::new(program)
}

/// What a program says; it succeeds.
#[track_caller]
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let both = [output.stdout.clone(), output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&both));
    String::from_utf8(output.stdout).unwrap()
}

/// The manifests of an overlay, as they are applied.
fn built(overlay: &str) -> String {
    let own = fetched("kubectl/kubectl/kubectl");
    let mut kubectl = Command::new(if own.exists() { own } else { "kubectl".into() });
    kubectl.arg("kustomize").arg(root().join("deploy/kubernetes/overlays").join(overlay));
    said(&mut kubectl)
}

/// What the program says of its options.
struct Facts {
    folder: TempDir,
}

impl Facts {
    fn of_the_program() -> Self {
        let help = Database::unreachable().run(&["help", "serve"]).succeeded();
        let shown: Vec<&str> = help
            .split("[env: ")
            .skip(1)
            .map(|rest| rest.split([']', '=']).next().unwrap())
            .collect();
        // Of a secret no value is shown, not even that there is none.
        let secrets: Vec<&str> =
            shown.iter().copied().filter(|name| help.contains(&format!("[env: {name}]"))).collect();
        let (_, roles) = help.split_once("that there is to do: ").unwrap();
        let roles: Vec<String> = roles
            .split('.')
            .next()
            .unwrap()
            .split(',')
            .map(|role| role.split_whitespace().collect::<String>())
            .collect();
        assert!(shown.len() > 20 && secrets.len() > 3 && roles.len() > 5, "{help}");
        let folder = TempDir::new().unwrap();
        let facts = json!({"variables": shown, "secrets": secrets, "roles": roles});
        fs::write(folder.path().join("facts.json"), facts.to_string()).unwrap();
        Self { folder }
    }

    /// The faults of a file of this kind.
    fn faults(&self, kind: &str, text: &str) -> String {
        let path = self.folder.path().join("file.yaml");
        fs::write(&path, text).unwrap();
        let mut python = tool("python");
        python.arg(root().join("tests/black_box/deployment/policy.py"));
        python.arg(self.folder.path().join("facts.json")).arg(kind).arg(path);
        said(&mut python)
    }
}

#[test]
fn every_overlay_is_what_kubernetes_takes_and_what_checkov_asks_for() {
    let folder = TempDir::new().unwrap();
    for overlay in OVERLAYS {
        let path = folder.path().join(format!("{overlay}.yaml"));
        fs::write(&path, built(overlay)).unwrap();
        // The oldest in which `preStop.sleep` is for good, and the newest that the tool knows.
        for version in ["1.34.0", "1.37.0"] {
            let mut validate = tool("kubernetes-validate");
            validate.args(["--strict", "--no-warn", "--quiet", "-k", version]).arg(&path);
            said(&mut validate);
        }
        let mut checkov = tool("checkov");
        checkov.args(["--framework", "kubernetes", "--skip-download", "--compact", "--quiet"]);
        checkov.args(["--skip-check", NOT_ASKED, "--file"]).arg(&path);
        said(&mut checkov);
    }
}

#[test]
fn every_overlay_keeps_our_own_rules() {
    let facts = Facts::of_the_program();
    for overlay in OVERLAYS {
        assert_eq!(facts.faults("kubernetes", &built(overlay)), "", "{overlay}");
    }
}

#[test]
fn every_compose_file_keeps_our_own_rules() {
    let facts = Facts::of_the_program();
    for file in COMPOSE {
        assert_eq!(facts.faults("compose", &read(file)), "", "{file}");
    }
}

/// The names in a folder of the repository.
fn in_folder(path: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_overlay_and_every_compose_file_is_looked_at() {
    let overlays = BTreeSet::from(OVERLAYS.map(str::to_owned));
    assert_eq!(in_folder("deploy/kubernetes/overlays"), overlays);
    let places = [("", "."), ("deploy/compose/", "deploy/compose")];
    let files = places.into_iter().flat_map(|(before, folder)| {
        in_folder(folder).into_iter().map(move |name| format!("{before}{name}"))
    });
    let compose: BTreeSet<String> = files
        .filter(|path| Path::new(path).extension().is_some_and(|it| it == "yml" || it == "yaml"))
        .filter(|path| read(path).lines().any(|line| line == "services:"))
        .collect();
    assert_eq!(compose, BTreeSet::from(COMPOSE.map(str::to_owned)));
}

/// Of two files with one name, one would take the other's containers and volumes for its own.
#[test]
fn no_two_compose_files_are_one_project() {
    let names = COMPOSE.map(|file| {
        let text = read(file);
        let name = text.lines().find_map(|line| line.strip_prefix("name: ")).map(str::to_owned);
        name.unwrap_or_else(|| panic!("{file} has no name"))
    });
    assert_eq!(BTreeSet::from(names.clone()).len(), COMPOSE.len(), "{names:?}");
}

/// What daybook's own server is told that is of its place alone, and its cache, which is by the machine's memory.
const OF_ITS_PLACE: [&str; 5] = [
    "listen_addresses",
    "logging_collector",
    "port",
    "unix_socket_directories",
    "unix_socket_permissions",
];

#[test]
fn a_postgresql_of_yours_has_the_settings_of_daybooks_own() {
    let ask = "SELECT lower(name) || '=' || setting FROM (SELECT name, current_setting(name) AS setting \
               FROM pg_settings WHERE source = 'command line') AS told";
    let database = Database::embedded();
    let told = database.run(&["psql", "-U", "daybook", "-At", "-c", ask]).succeeded();
    let mut own: BTreeMap<&str, &str> =
        told.lines().map(|line| line.split_once('=').unwrap()).collect();
    own.retain(|name, _| !OF_ITS_PLACE.contains(name));
    assert!(own.remove("shared_buffers").is_some_and(|size| size.ends_with('B')), "{told}");
    let shipped = read("deploy/postgres/daybook.conf");
    let lines = shipped.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut shipped: BTreeMap<&str, &str> = lines
        .map(|line| line.split_once(" = ").unwrap())
        .map(|(name, value)| (name, value.trim_matches('\'')))
        .collect();
    assert!(shipped.remove("shared_buffers").is_some());
    assert_eq!(shipped, own);
}
