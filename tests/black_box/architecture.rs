//! Dependencies point one way: `domain <- store <- projections <- api <- server`, and
//! `domain <- integrations <- server`; whoever reads or writes calendars uses `ical`, whoever writes
//! to clients `wording`.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// Which packages of the workspace a package may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("daybook-domain", &[]),
    ("daybook-ical", &[]),
    ("daybook-wording", &["daybook-domain"]),
    ("daybook-store", &["daybook-domain"]),
    ("daybook-projections", &["daybook-domain", "daybook-store"]),
    ("daybook-integrations", &["daybook-domain", "daybook-ical", "daybook-wording"]),
    ("daybook-embedded-postgres", &[]),
    (
        "daybook-api",
        &[
            "daybook-domain",
            "daybook-ical",
            "daybook-projections",
            "daybook-store",
            "daybook-wording",
        ],
    ),
    (
        "daybook",
        &[
            "daybook-api",
            "daybook-domain",
            "daybook-embedded-postgres",
            "daybook-ical",
            "daybook-integrations",
            "daybook-projections",
            "daybook-store",
            "daybook-wording",
        ],
    ),
    // Nobody depends on these, and what they use is no part of the program.
    (
        "bench",
        &[
            "daybook",
            "daybook-api",
            "daybook-domain",
            "daybook-embedded-postgres",
            "daybook-projections",
            "daybook-store",
        ],
    ),
    ("daybook-tests", &["daybook-embedded-postgres"]),
    ("daybook-next", &["daybook-api", "daybook-domain", "daybook-projections", "daybook-store"]),
    ("daybook-consumer", &[]),
    ("xtask", &[]),
];

/// What any package's tests may use besides.
const FOR_TESTS: &[&str] = &["daybook-embedded-postgres"];

/// The packages that are pure: nothing goes in or out but what they are handed.
const PURE: &[&str] = &["daybook-domain", "daybook-ical"];

/// What they must not know: a database, HTTP, a runtime.
const NOT_PURE: &[&str] =
    &["sqlx", "postgres-es", "axum", "tower", "hyper", "reqwest", "ureq", "tokio"];

/// Every arrow that points the wrong way.
fn turned_arrows(metadata: &Value) -> Vec<String> {
    let packages: Vec<&Value> = metadata["packages"].as_array().unwrap().iter().collect();
    let names: Vec<&str> = packages.iter().map(|package| name(package)).collect();
    let mut turned = Vec::new();
    for package in packages {
        let from = name(package);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
            turned.push(format!("{from} has no row in ARROWS"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let (to, kind) = (name(dependency), dependency["kind"].as_str());
            let for_tests = kind == Some("dev");
            let ours = names.contains(&to);
            let itself = for_tests && to == from;
            let may = allowed.contains(&to) || itself || for_tests && FOR_TESTS.contains(&to);
            if ours && !may {
                turned.push(format!("{from} -> {to}"));
            }
            let outside = PURE.contains(&from) && NOT_PURE.contains(&to);
            if outside && !for_tests {
                turned.push(format!("{from} -> {to}"));
            }
        }
    }
    turned
}

fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_arrow_between_the_packages_turns() {
    let metadata = metadata();
    assert_eq!(turned_arrows(&metadata), Vec::<String>::new());
    let packages = metadata["packages"].as_array().unwrap();
    for (expected, _) in ARROWS.iter().filter(|(name, _)| *name != "bench") {
        assert!(packages.iter().any(|package| name(package) == *expected), "{expected} is gone");
    }
}

#[test]
fn every_package_inherits_the_lints_of_the_workspace() {
    for package in metadata()["packages"].as_array().unwrap() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        assert!(inherits_lints(&manifest), "{} has lints of its own", name(package));
    }
}

fn inherits_lints(manifest: &str) -> bool {
    let after = manifest.split_once("\n[lints]\n").map(|(_, after)| after);
    after.is_some_and(|after| after.lines().next() == Some("workspace = true"))
}

/// A workspace of these packages; each depends on another, in a kind of table.
fn a_workspace(arrows: &[(&str, Option<&str>, &str)]) -> Value {
    let mut names: Vec<&str> = arrows.iter().flat_map(|(from, _, to)| [*from, *to]).collect();
    names.retain(|name| name.starts_with("daybook") || *name == "xtask");
    names.sort_unstable();
    names.dedup();
    let package = |package: &&str| {
        let own = arrows.iter().filter(|(from, _, _)| from == package);
        let dependencies: Vec<Value> =
            own.map(|(_, kind, to)| json!({"name": to, "kind": kind})).collect();
        json!({"name": package, "dependencies": dependencies})
    };
    json!({"packages": names.iter().map(package).collect::<Vec<_>>()})
}

#[test]
fn an_arrow_that_turns_is_found() {
    let turned = [
        ("daybook-domain", None, "daybook-store"),
        ("daybook-store", None, "daybook-projections"),
        ("daybook-store", Some("dev"), "daybook-api"),
        ("daybook-projections", Some("build"), "daybook-api"),
        ("daybook-integrations", None, "daybook-store"),
        ("daybook-api", None, "daybook-integrations"),
        ("daybook-api", None, "daybook"),
        ("daybook-store", None, "daybook-embedded-postgres"),
        ("daybook", None, "daybook-tests"),
        ("daybook-domain", None, "tokio"),
        ("daybook-domain", None, "sqlx"),
        ("daybook-ical", None, "daybook-domain"),
        ("daybook-ical", None, "tokio"),
        ("daybook-domain", None, "daybook-ical"),
    ];
    for arrow in turned {
        let (from, _, to) = arrow;
        assert_eq!(turned_arrows(&a_workspace(&[arrow])), [format!("{from} -> {to}")]);
    }
}

#[test]
fn an_arrow_that_points_the_right_way_is_none() {
    let right = [
        ("daybook-store", None, "daybook-domain"),
        ("daybook-api", None, "daybook-projections"),
        ("daybook", None, "daybook-integrations"),
        ("daybook-integrations", None, "daybook-ical"),
        ("daybook-api", None, "daybook-ical"),
        ("daybook", None, "daybook-embedded-postgres"),
        ("daybook-store", Some("dev"), "daybook-embedded-postgres"),
        ("daybook-embedded-postgres", Some("dev"), "daybook-embedded-postgres"),
        ("daybook-domain", Some("dev"), "tokio"),
        ("daybook-store", None, "tokio"),
    ];
    assert_eq!(turned_arrows(&a_workspace(&right)), Vec::<String>::new());
}

#[test]
fn a_package_that_nobody_has_thought_of_is_found() {
    let workspace = a_workspace(&[("daybook-novelty", None, "daybook-domain")]);
    assert_eq!(turned_arrows(&workspace), ["daybook-novelty has no row in ARROWS"]);
}

#[test]
fn lints_of_ones_own_are_found() {
    assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
    assert!(!inherits_lints("[package]\nname = \"a\"\n"));
    assert!(!inherits_lints("[package]\n\n[lints]\nworkspace = false\n"));
    assert!(!inherits_lints("[package]\n\n[lints.rust]\nmissing_docs = \"allow\"\n"));
}

/// What routes share. It imports from no route.
const SHARED_BY_ROUTES: &[&str] =
    &["as_of", "calendars", "catalogue", "commands", "expanding", "kept", "listing", "problems"];

/// What a file of `daybook-api` imports from routes, and ought not to: a route from another, and what is
/// below the routes from any.
fn from_another_route<'a>(file: &str, source: &'a str) -> Vec<&'a str> {
    let own = file.strip_prefix("routes/").and_then(|rest| rest.split(['/', '.']).next());
    let imported = source.split("crate::routes::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    });
    let may = |name: &&str| match own {
        Some(own) => *name == own || SHARED_BY_ROUTES.contains(name),
        None => false,
    };
    imported.filter(|name| !may(name)).collect()
}

#[test]
fn routes_do_not_import_from_each_other() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src");
    let mut folders = vec![sources.clone()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.strip_prefix(&sources).unwrap().to_str().unwrap();
            let source = fs::read_to_string(&path).unwrap();
            assert_eq!(from_another_route(file, &source), Vec::<&str>::new(), "{file}");
            seen += 1;
        }
    }
    assert!(seen > 80, "{seen}");
}

#[test]
fn an_import_from_another_route_is_found() {
    let source = "use crate::routes::problems::ReadProblems;\nuse crate::routes::series::Shown;\n";
    assert_eq!(from_another_route("routes/sessions/read.rs", source), ["series"]);
    assert_eq!(from_another_route("routes/series/read.rs", source), Vec::<&str>::new());
    assert_eq!(from_another_route("views/series.rs", source), ["problems", "series"]);
}
