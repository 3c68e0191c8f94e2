//! `serve --tls-cert --tls-key`, asked by curl and openssl.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{Database, Server, eventually};

/// A folder with an authority, and what it has signed.
pub(crate) struct Authority(TempDir);

fn openssl(folder: &Path, arguments: &str) {
    let ran =
        Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output();
    let ran = ran.expect("openssl is installed");
    assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(
            folder.path(),
            &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"),
        );
        Self(folder)
    }

    /// A certificate of this machine and its key, called so.
    pub(crate) fn signs(&self, name: &str) {
        self.signs_for(name, "DNS:localhost,IP:127.0.0.1");
    }

    /// A certificate and its key, called so, of whoever has these names.
    pub(crate) fn signs_for(&self, name: &str, names: &str) {
        fs::write(self.path("names"), format!("subjectAltName={names}")).unwrap();
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(
            self.0.path(),
            &format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"),
        );
        openssl(
            self.0.path(),
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem"
            ),
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

/// A server with the certificate `served` of an authority, and more options.
pub(crate) fn serving(authority: &Authority, options: &[&str]) -> Server {
    authority.signs("served");
    let (cert, key) = (authority.text("served.pem"), authority.text("served.key"));
    let own = ["--tls-cert", &cert, "--tls-key", &key];
    let server = Server::start_unready(&Database::fresh(), &[&own, options].concat());
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let ready = || (server.operator().get("/readyz").send().status == 200).then_some(());
    eventually("it is ready", ready);
    server
}

/// What curl says of `/livez`, trusting this authority.
fn curl(server: &Server, authority: &Authority, options: &[&str]) -> Output {
    let url = format!("{}/livez", server.url);
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--max-time",
        "20",
        "--cacert",
        &authority.text("ca.pem"),
        "-w",
        " %{http_code}",
        &url,
    ]);
    curl.args(options).output().expect("curl is installed")
}

fn answered(output: &Output) -> bool {
    output.status.success() && String::from_utf8_lossy(&output.stdout).ends_with(" 200")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn address(server: &Server) -> &str {
    server.url.trim_start_matches("https://")
}

/// The certificate that a server shows to a new connection.
fn shown(server: &Server) -> String {
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", address(server)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = String::new();
    client.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    client.wait().unwrap();
    let begins = text.find("-----BEGIN").unwrap_or_else(|| panic!("{text}"));
    text[begins..].split_inclusive("-----END CERTIFICATE-----").next().unwrap().to_owned()
}

fn written(authority: &Authority, name: &str) -> String {
    fs::read_to_string(authority.path(name)).unwrap().trim().to_owned()
}

#[test]
fn who_trusts_the_authority_is_answered_by_tls_1_2_and_1_3_and_nobody_by_less() {
    let (authority, another) = (Authority::new(), Authority::new());
    let server = serving(&authority, &[]);
    for version in [&["--tlsv1.2", "--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let output = curl(&server, &authority, version);
        assert!(answered(&output), "{version:?}: {}", said(&output));
    }
    // Whoever asks for an older one gets an alert, whatever their own settings allow.
    let old = Command::new("openssl")
        .args(["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", address(&server)])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!old.status.success() && said(&old).contains("alert"), "{}", said(&old));
    let stranger = curl(&server, &another, &[]);
    assert_eq!(
        stranger.status.code(),
        Some(60),
        "another authority's is not trusted: {}",
        said(&stranger)
    );
}

#[test]
fn who_speaks_http_to_the_port_is_told_to_use_tls() {
    let server = serving(&Authority::new(), &[]);
    let mut plain = TcpStream::connect(address(&server)).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: h\r\n\r\n").unwrap();
    let mut answer = String::new();
    // The rest of the request is not read, so the connection may end with a reset.
    let _ = plain.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[test]
fn with_an_authority_of_clients_nobody_is_answered_without_its_certificate() {
    let (authority, another) = (Authority::new(), Authority::new());
    let ca = authority.text("ca.pem");
    let server = serving(&authority, &["--tls-client-ca", &ca]);
    authority.signs("client");
    another.signs("client");
    let with = |of: &Authority| {
        let (cert, key) = (of.text("client.pem"), of.text("client.key"));
        curl(&server, &authority, &["--cert", &cert, "--key", &key])
    };
    let own = with(&authority);
    assert!(answered(&own), "{}", said(&own));
    for refused in [curl(&server, &authority, &[]), with(&another)] {
        assert!(!refused.status.success() && !answered(&refused), "{refused:?}");
        assert!(said(&refused).contains("alert"), "{}", said(&refused));
    }
}

#[test]
fn a_certificate_that_was_renewed_is_used_without_a_failed_request() {
    let authority = Authority::new();
    let server = serving(&authority, &[]);
    let first = written(&authority, "served.pem");
    assert_eq!(shown(&server), first);
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let output = curl(&server, &authority, &[]);
                    assert!(answered(&output), "{}", said(&output));
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // What cannot be used changes nothing.
        fs::write(authority.path("served.pem"), "no certificate").unwrap();
        eventually("the log says so", || {
            server.log().contains("the one before it stays").then_some(())
        });
        assert_eq!(shown(&server), first);
        authority.signs("served");
        let second = written(&authority, "served.pem");
        assert_ne!(second, first);
        eventually("the new one is shown", || (shown(&server) == second).then_some(()));
        over.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 10, "{asked:?}");
}

#[test]
fn a_handshake_that_is_not_finished_is_hung_up_on() {
    let server = serving(&Authority::new(), &[]);
    let begun = Instant::now();
    let mut half = TcpStream::connect(address(&server)).unwrap();
    half.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // The head of a record of a handshake, and no more.
    half.write_all(&[22, 3, 1, 1, 0]).unwrap();
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest);
    let waited = begun.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(40)).contains(&waited), "{waited:?}");
}

#[test]
fn files_that_are_no_certificate_end_the_program_with_one_sentence() {
    let (authority, another) = (Authority::new(), Authority::new());
    authority.signs("served");
    another.signs("served");
    let (cert, key) = (authority.text("served.pem"), authority.text("served.key"));
    let anothers = another.text("served.key");
    let missing = authority.text("missing.pem");
    for (arguments, why) in [
        ([&*cert, &*anothers], "does not go with"),
        ([&*key, &*key], "no certificate"),
        ([&*cert, &*cert], "no private key"),
        ([&*missing, &*key], "cannot be read"),
    ] {
        let [cert, key] = arguments;
        let serve = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
        let said = Database::unreachable().run(&serve).failed();
        assert!(said.contains(why) && said.trim_end().lines().count() == 1, "{why}: {said}");
    }
    let alone = Database::unreachable().run(&["serve", "--tls-cert", &cert]).failed();
    assert!(alone.contains("--tls-key"), "{alone}");
}
