//! What others make of the OpenAPI document: linters that read it, and clients that generators make from it, run against
//! a server. The tools are pinned in `tests/clients`; `cargo xtask test` installs them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Server, a_practice};

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn document() -> PathBuf {
    repository().join("api/openapi.json")
}

/// What `cargo xtask test` has installed: `target/{folder}` for a test in `target/debug/deps`.
fn installed(folder: &str, stamp: &str, wanted: &str) -> PathBuf {
    let us = env::current_exe().unwrap();
    let folder = us.ancestors().nth(3).unwrap().join(folder);
    let made_from = fs::read_to_string(folder.join(stamp)).unwrap_or_default();
    let wanted = fs::read_to_string(repository().join("tests/clients").join(wanted)).unwrap();
    assert_eq!(
        made_from,
        wanted,
        "{} has not what these tests need. `cargo xtask test` installs it, with npm (Node.js 20 or later) and python3 \
         (3.11 or later, with its module venv).",
        folder.display()
    );
    folder
}

/// A program of an npm package.
fn npm(program: &str) -> Command {
    let packages = installed("node/clients", "made-from.json", "package-lock.json");
    let mut command = Command::new(packages.join("node_modules/.bin").join(program));
    command.current_dir(packages).env("REDOCLY_TELEMETRY", "off").env("NO_COLOR", "1");
    command
}

/// A program of a Python environment: of `clients` or of `schemathesis`.
pub(crate) fn python(environment: &str, program: &str) -> Command {
    let requirements = if environment == "clients" { "requirements" } else { environment };
    let requirements = format!("{requirements}.txt");
    let environment = installed(&format!("python/{environment}"), "made-from.txt", &requirements);
    let mut command = Command::new(environment.join("bin").join(program));
    // A generator calls others by their names.
    let path = env::var_os("PATH").unwrap();
    let folders = [environment.join("bin")].into_iter().chain(env::split_paths(&path));
    command.env("PATH", env::join_paths(folders).unwrap());
    command
}

/// A folder beside the packages, so that programs in it find them, with the document and with files of `tests/clients`.
pub(crate) fn workshop(files: &[&str]) -> TempDir {
    let packages = installed("node/clients", "made-from.json", "package-lock.json");
    let workshop = tempfile::Builder::new().prefix("workshop-").tempdir_in(packages).unwrap();
    for file in files.iter().chain(&["tsconfig.json"]) {
        fs::copy(repository().join("tests/clients").join(file), workshop.path().join(file))
            .unwrap();
    }
    fs::copy(document(), workshop.path().join("openapi.json")).unwrap();
    workshop
}

#[track_caller]
pub(crate) fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

#[test]
fn spectral_finds_nothing_in_the_document() {
    let rules = repository().join("tests/clients/spectral.yaml");
    let mut lint = npm("spectral");
    lint.args(["lint", "--fail-severity", "hint", "--ruleset"]).arg(rules).arg(document());
    let said = ran(&mut lint);
    assert!(said.contains("No results"), "{said}");
}

#[test]
fn redocly_finds_nothing_in_the_document() {
    let mut lint = npm("redocly");
    lint.args(["lint", "--extends", "recommended", "--format", "json"]).arg(document());
    let said = ran(&mut lint);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    let totals = &report["totals"];
    assert_eq!((&totals["errors"], &totals["warnings"]), (&0.into(), &0.into()), "{report:#}");
}

/// Compiles a program and runs it against a server, in a tenant of its own.
#[track_caller]
fn typescript(workshop: &TempDir, program: &str) -> Value {
    ran(npm("tsc").arg("--project").arg(workshop.path()));
    let practice = a_practice();
    let key = Server::shared().database.key(&practice.tenant, "admin");
    let mut node = Command::new("node");
    let operator = Server::shared().keyed_operator();
    let keys = [&key, operator.key().unwrap()];
    node.arg(workshop.path().join(program)).arg(&Server::shared().url).args(keys);
    let said = ran(&mut node);
    serde_json::from_str(said.lines().last().unwrap()).unwrap_or_else(|e| panic!("{e}: {said}"))
}

/// What each client says at its end: what it booked, found and compared.
#[track_caller]
fn has_worked(said: &Value) {
    assert!(said["titles"].as_array().is_some_and(|titles| titles.len() >= 4), "{said}");
    assert!(said["changes"].as_array().unwrap().iter().any(|field| field == "tags"), "{said}");
    assert!(said["events"].as_u64().is_some_and(|events| events > 10), "{said}");
    assert_eq!(said["exported"], true, "{said}");
}

#[test]
fn a_client_made_by_openapi_typescript_works() {
    let workshop = workshop(&["openapi-typescript.ts"]);
    let mut generate = npm("openapi-typescript");
    generate.current_dir(&workshop).args(["openapi.json", "--output", "daybook.d.ts"]);
    ran(&mut generate);
    has_worked(&typescript(&workshop, "openapi-typescript.js"));
}

#[test]
fn a_client_made_by_hey_api_works() {
    let workshop = workshop(&["hey-api.ts", "openapi-ts.config.mjs"]);
    ran(npm("openapi-ts").current_dir(&workshop));
    has_worked(&typescript(&workshop, "hey-api.js"));
}

#[test]
fn a_client_made_by_openapi_python_client_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut generate = python("clients", "openapi-python-client");
    // It warns of bodies that are calendars: it sends them as a form.
    generate.args(["generate", "--meta", "none", "--path"]).arg(document());
    ran(generate.arg("--output-path").arg(folder.path().join("daybook_client")));
    let practice = a_practice();
    let key = Server::shared().database.key(&practice.tenant, "admin");
    let mut client = python("clients", "python");
    client.env("PYTHONPATH", folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    client.arg(repository().join("tests/clients/openapi_python_client.py"));
    let operator = Server::shared().keyed_operator();
    let said = ran(client.args([&Server::shared().url, &key, operator.key().unwrap()]));
    has_worked(&serde_json::from_str(said.lines().last().unwrap()).unwrap());
}
