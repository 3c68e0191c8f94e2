//! The Dockerfile, and what the build is sent.

use super::{Facts, read, root, said, tool};

/// The lines of a Dockerfile's last stage, which is what is run.
fn last_stage(dockerfile: &str) -> &str {
    let begins = dockerfile.rfind("\nFROM ").unwrap();
    &dockerfile[begins..]
}

/// What is wrong with a Dockerfile.
fn faults(dockerfile: &str) -> Vec<&'static str> {
    let last = last_stage(dockerfile);
    let rules = [
        (
            !dockerfile.lines().any(|line| line.starts_with("# syntax")),
            "no registry is asked for a frontend",
        ),
        (!dockerfile.contains(":latest"), "no image without a version"),
        (
            dockerfile.matches("type=cache").count()
                == dockerfile.matches("type=cache,id=").count(),
            "each cache has a name",
        ),
        (last.contains("\nUSER 65532:65532\n"), "it runs as 65532"),
        (
            last.contains("\nHEALTHCHECK ") && last.contains("\"ready\"]"),
            "it is asked whether it is ready",
        ),
        (last.contains("DAYBOOK_DATABASE_ELSEWHERE=true"), "it says that it has no PostgreSQL"),
        (last.contains("org.opencontainers.image.licenses="), "it says whose it is"),
        (!last.contains("RUN "), "there is no shell in it"),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| fault).collect()
}

#[test]
fn the_dockerfile_keeps_the_rules_and_hadolints() {
    let mut hadolint = tool("hadolint");
    hadolint.arg(root().join("Dockerfile"));
    said(&mut hadolint);
    let dockerfile = read("Dockerfile");
    assert_eq!(faults(&dockerfile), Vec::<&str>::new());
    let changes = [
        ("# The container image", "# syntax=docker/dockerfile:1\n#"),
        ("debian:bookworm-slim", "debian:latest"),
        ("type=cache,id=daybook-cargo-registry,", "type=cache,"),
        ("DAYBOOK_DATABASE_ELSEWHERE=true", "DAYBOOK_X=true"),
    ];
    for (from, to) in changes {
        assert_eq!(faults(&dockerfile.replacen(from, to, 1)).len(), 1, "{from} -> {to}");
    }
    let (before, last) = dockerfile.split_at(dockerfile.len() - last_stage(&dockerfile).len());
    for (from, to) in [("USER 65532:65532", "USER 0"), ("HEALTHCHECK", "#")] {
        assert_eq!(faults(&format!("{before}{}", last.replacen(from, to, 1))).len(), 1, "{from}");
    }
}

#[test]
fn each_variable_that_the_image_sets_is_an_option() {
    let facts = Facts::of_the_program();
    let known = std::fs::read_to_string(facts.folder.path().join("facts.json")).unwrap();
    let dockerfile = read("Dockerfile");
    let names: Vec<&str> = dockerfile
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("DAYBOOK_"))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(known.contains(&format!("\"{name}\"")), "{name} is no option");
    }
}

#[test]
fn the_build_is_sent_all_packages_and_no_more() {
    let ignored = read(".dockerignore");
    let sent: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "what is not named stays");
    let manifest = read("Cargo.toml");
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members.split(',').map(|name| name.trim().trim_matches('"')) {
        let own = format!("{member}/Cargo.toml");
        assert!(member.is_empty() || sent.contains(&member) || sent.contains(&&*own), "{member}");
    }
    for path in &sent {
        assert!(root().join(path).exists(), "{path} is not there");
    }
    let secrets = [".env", "secrets", ".git", "data"];
    assert!(sent.iter().all(|path| !secrets.contains(path)), "{sent:?}");
}
