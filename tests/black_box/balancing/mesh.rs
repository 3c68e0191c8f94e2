//! Envoys as the sidecars of a mesh: one before each node, one before the clients. Between them there is mTLS with the identities of
//! SPIFFE, as Istio's sidecars have it: no cluster runs here, and this is what a cluster would run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use chrono::TimeDelta;
use serde_json::json;
use tempfile::TempDir;

use super::load::{self, Load, Reader};
use super::proxy::{Proxy, envoy, free_port, shipped};
use super::{Nodes, under_load};
use crate::events::sse::Stream;
use crate::harness::{Practice, eventually, monday, size};
use crate::tls::Authority;

const INGRESS: &str = "spiffe://cluster.local/ns/ingress/sa/ingress";
const API: &str = "spiffe://cluster.local/ns/daybook/sa/daybook-api";
const STRANGER: &str = "spiffe://cluster.local/ns/elsewhere/sa/somebody";

/// How many requests at least are sent while certificates are replaced and nodes restart.
const POSTS: &str = "DAYBOOK_MESH_POSTS";

/// Who vouches for whom, and where each finds its identity.
struct Identities {
    authority: Authority,
    folder: TempDir,
}

impl Identities {
    fn new() -> Self {
        Self { authority: Authority::new(), folder: TempDir::new().unwrap() }
    }

    /// Gives somebody a certificate, in place of the one before: whoever follows the file has it from then on.
    fn give(&self, name: &str, identity: &str) -> String {
        self.authority.signs_for(name, &format!("URI:{identity}"));
        let read = |kind: &str| {
            fs::read_to_string(self.authority.path(&format!("{name}.{kind}"))).unwrap()
        };
        let secret = json!({"resources": [{
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            "name": "own",
            "tls_certificate": {
                "certificate_chain": {"inline_string": read("pem")},
                "private_key": {"inline_string": read("key")},
            },
        }]});
        let (new, path) = (self.folder.path().join("new"), self.path(name));
        fs::write(&new, secret.to_string()).unwrap();
        // Envoy looks at files that are moved.
        fs::rename(&new, &path).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(format!("{name}.json")).to_str().unwrap().to_owned()
    }
}

fn started(config: &str, port: u16) -> Proxy {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("envoy.yaml");
    fs::write(&path, config).unwrap();
    Proxy::run(envoy(&path), port, folder)
}

/// The sidecar of a node, with an identity.
fn inbound(identities: &Identities, name: &str, identity: &str, node: u16) -> (Proxy, u16) {
    let (port, own) = (free_port(), identities.give(name, identity));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/balancing/inbound.yaml");
    let config = fs::read_to_string(path).unwrap();
    let authority = identities.authority.text("ca.pem");
    let config =
        config.replace("INBOUND", &port.to_string()).replace("NODE}", &format!("{node}}}"));
    let config = config.replace("\"OWN\"", &format!("\"{own}\"")).replace("AUTHORITY", &authority);
    (started(&config.replace("\"INGRESS\"", &format!("\"{INGRESS}\"")), port), port)
}

/// The sidecar of whoever asks: the balancer of `deploy/envoy`, which knows itself and the nodes by their identities.
fn outbound(identities: &Identities, name: &str, identity: &str, sidecars: [u16; 2]) -> Proxy {
    let (port, own) = (free_port(), identities.give(name, identity));
    let config = shipped("envoy/envoy.yaml");
    let all = [("8080", port), ("8081", sidecars[0]), ("8082", sidecars[1])];
    let config =
        all.iter().fold(config, |text, (shipped, ours)| text.replace(shipped, &ours.to_string()));
    let tls = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {
                "tls_certificate_sds_secret_configs": [{
                    "name": "own",
                    "sds_config": {"resource_api_version": "V3", "path_config_source": {"path": own}},
                }],
                "validation_context": {
                    "trusted_ca": {"filename": identities.authority.text("ca.pem")},
                    "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {"exact": API}}],
                },
            },
        },
    });
    let place = "      lb_policy: RING_HASH\n";
    assert!(config.contains(place), "deploy/envoy/envoy.yaml has changed");
    started(&config.replace(place, &format!("{place}      transport_socket: {tls}\n")), port)
}

/// What a sidecar answers to somebody with this certificate, or with none.
fn asked(identities: &Identities, port: u16, name: Option<&str>) -> Output {
    let mut curl = Command::new("curl");
    // The name of its certificate is no host's.
    curl.args(["-sS", "--insecure", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}"]);
    if let Some(name) = name {
        let of = |kind: &str| identities.authority.text(&format!("{name}.{kind}"));
        curl.args(["--cert", &of("pem"), "--key", &of("key")]);
    }
    curl.arg(format!("https://127.0.0.1:{port}/livez")).output().expect("curl is installed")
}

/// The certificate that a sidecar shows to whoever connects anew.
fn shown(identities: &Identities, port: u16) -> String {
    let of = |kind: &str| identities.authority.text(&format!("ingress.{kind}"));
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
    client.args(["-cert", &of("pem"), "-key", &of("key")]).stdin(std::process::Stdio::null());
    let said = String::from_utf8_lossy(&client.output().unwrap().stdout).into_owned();
    let begins = said.find("-----BEGIN").unwrap_or_else(|| panic!("{said}"));
    said[begins..].split_inclusive("-----END CERTIFICATE-----").next().unwrap().to_owned()
}

#[test]
fn in_a_mesh_the_right_identity_is_answered_and_no_other() {
    let nodes = Nodes::start("0");
    let identities = Identities::new();
    let (_sidecar, port) = inbound(&identities, "one", API, nodes.ports[0]);
    identities.give("ingress", INGRESS);
    identities.give("stranger", STRANGER);
    let code = |name| String::from_utf8(asked(&identities, port, Some(name)).stdout).unwrap();
    assert_eq!(code("ingress"), "200");
    assert_eq!(code("stranger"), "403");
    let nobody = asked(&identities, port, None);
    assert!(!nobody.status.success(), "{nobody:?}");

    // Who pretends to be the API is not asked.
    let (_pretender, theirs) = inbound(&identities, "pretender", STRANGER, nodes.ports[0]);
    let proxy = outbound(&identities, "ingress", INGRESS, [theirs, theirs]);
    let practice = Practice::on(nodes.one(0));
    let through = practice.api.at(&proxy.url);
    assert_eq!(through.get("/v1/services").send().status, 503);
    let right = outbound(&identities, "ingress-too", INGRESS, [port, port]);
    let through = practice.api.at(&right.url);
    eventually("it is answered by the API", || {
        (through.get("/v1/services").send().status == 200).then_some(())
    });
}

#[test]
fn in_a_mesh_nobody_notices_new_certificates_and_nodes_that_restart() {
    let mut nodes = Nodes::start("2");
    let identities = Identities::new();
    let (_first, one) = inbound(&identities, "one", API, nodes.ports[0]);
    let (_second, two) = inbound(&identities, "two", API, nodes.ports[1]);
    let proxy = outbound(&identities, "ingress", INGRESS, [one, two]);
    let practice = Practice::on(nodes.one(0));
    let practice = Practice { api: practice.api.at(&proxy.url), ..practice };
    eventually("the mesh answers", || {
        (practice.api.get("/v1/services").send().status == 200).then_some(())
    });
    let mut stream = Stream::open(&practice.api, "after=latest", None).unwrap();
    let reader = Reader::start(practice.api.clone());

    let load = Load::new(&practice, false);
    under_load(&load, size(POSTS, 300), || {
        for _ in 0..3 {
            let before = [shown(&identities, one), shown(&identities, two)];
            for (name, identity) in [("one", API), ("two", API), ("ingress", INGRESS)] {
                identities.give(name, identity);
            }
            eventually("both show the new ones", || {
                let now = [shown(&identities, one), shown(&identities, two)];
                (now[0] != before[0] && now[1] != before[1]).then_some(())
            });
            let sent = load.sent();
            eventually("requests are sent with them", || {
                (load.sent() > sent + 4 * load::CLIENTS).then_some(())
            });
        }
        // A stream is of the connection that it has begun on: it outlives the certificates.
        let booked = practice.booking(monday(0, 0) - TimeDelta::hours(2)).send().position();
        while stream.next().expect("it goes on").id != booked.to_string() {}
        for node in [0, 1] {
            nodes.restart(node, &practice.api);
        }
    });
    println!("{} sent over new certificates and restarts", load.sent());
    assert_eq!(load.failed(), Vec::<String>::new(), "of {}", load.sent());
    let last = practice.booking(monday(0, 0) - TimeDelta::hours(1)).send().position();
    assert_eq!(reader.until(last), (1..=last).collect::<Vec<_>>(), "each position once, in order");
    nodes.database.run(&["verify"]).succeeded();
}
