//! Each rule can fail: a file that breaks it is found out.

use super::{Facts, built, read};

/// A file with one thing changed, and what is said of it.
#[track_caller]
fn finds(facts: &Facts, kind: &str, text: &str, changes: &[(&str, &str, &str)]) {
    for (from, to, fault) in changes {
        assert!(text.contains(from), "{from} is not in it");
        let found = facts.faults(kind, &text.replacen(from, to, 1));
        assert!(found.contains(fault), "{from} -> {to}: {fault:?} is not in {found:?}");
    }
}

#[test]
fn a_manifest_that_breaks_a_rule_is_found() {
    let changes = [
        ("seconds: 5\n", "seconds: 2\n", "preStop sleeps"),
        ("terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30", "grace"),
        ("enableServiceLinks: false", "enableServiceLinks: true", "no variables of services"),
        (
            "      automountServiceAccountToken: false",
            "      automountServiceAccountToken: true",
            "no token",
        ),
        ("runAsUser: 65532", "runAsUser: 0", "runs as 65532"),
        ("progressDeadlineSeconds: 3700", "progressDeadlineSeconds: 600", "is given up no sooner"),
        ("type: RuntimeDefault", "type: Unconfined", "seccomp"),
        ("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "no more privileges"),
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "read only"),
        ("- ALL", "- CHOWN", "no capabilities"),
        ("image: daybook:0.1.0", "image: daybook:latest", "an image with a version"),
        ("containerPort: 9464", "containerPort: 9465", "the program's ports"),
        ("path: /readyz", "path: /livez", "readinessProbe asks /readyz"),
        ("path: /livez", "path: /readyz", "livenessProbe asks /livez"),
        ("name: DAYBOOK_TRUSTED_PROXIES", "name: DAYBOOK_TRUSTED_PROXY", "is no option"),
        ("name: DAYBOOK_DATABASE_URL_FILE", "name: DAYBOOK_DATABASE_URL", "is a secret"),
        ("value: relay,sync", "value: relay", "each role once"),
        ("maxUnavailable: 1\n", "maxUnavailable: 2\n", "one goes at a time"),
        ("enforce: restricted", "enforce: baseline", "restricted"),
        ("targetPort: http", "targetPort: https", "a port that there is"),
        ("minReplicas: 3", "minReplicas: 1", "another"),
        (
            "serviceAccountName: daybook-api",
            "serviceAccountName: default",
            "an identity of its own",
        ),
        ("kind: NetworkPolicy", "kind: Policy", "who reaches whom"),
    ];
    finds(&Facts::of_the_program(), "kubernetes", &built("prod"), &changes);
}

#[test]
fn a_mesh_that_lets_in_too_many_or_sends_again_is_found() {
    let facts = Facts::of_the_program();
    let linkerd = [
        ("inbound-policy: deny", "inbound-policy: all-unauthenticated", "by default"),
        ("5432,6379,5672", "5432,6379", "are opaque"),
        ("port: 8086", "port: 8087", "reach the mesh's own"),
        ("port: 4143", "port: 4144", "reach each other"),
        ("- ingress.ingress.serviceaccount.identity.linkerd.cluster.local", "- '*'", "named"),
    ];
    finds(&facts, "kubernetes", &built("prod-linkerd"), &linkerd);
    let istio = [
        ("mode: STRICT", "mode: PERMISSIVE", "mTLS alone"),
        ("spec: {}", "spec: {action: ALLOW}", "what is not allowed is not"),
        ("cluster.local/ns/ingress/sa/ingress", "'*'", "names whom it lets in"),
        ("port: 15012", "port: 15010", "reach the mesh's own"),
        ("10.0.0.0/8,127.0.0.6", "10.0.0.0/8", "believes its sidecar"),
        ("- mesh\n", "- ingress/gateway\n", "the sidecars'"),
        ("idleTimeout: 60s", "idleTimeout: 90s", "closes idle connections"),
        ("timeout: 0s", "timeout: 300s", "a stream has no end"),
        ("refused-stream,reset-before-request", "refused-stream,503", "nothing is done twice"),
    ];
    finds(&facts, "kubernetes", &built("prod-istio"), &istio);
}

#[test]
fn a_compose_file_that_breaks_a_rule_is_found() {
    let facts = Facts::of_the_program();
    let own = [
        ("${DAYBOOK_ADDRESS:-127.0.0.1}", "${DAYBOOK_ADDRESS:-0.0.0.0}", "published"),
        ("      DAYBOOK_REDIS_URL:\n", "      DAYBOOK_REDDIS_URL:\n", "is no option"),
        ("stop_grace_period: 45s", "stop_grace_period: 10s", "its own time"),
        ("mem_limit: 2g", "", "limits"),
        ("redis:8", "redis:latest", "an image with a version"),
        (", -c, config_file=/etc/postgresql/compose.conf", "", "is tuned"),
        ("  read_only: true", "  read_only: false", "read only"),
        ("    options: {max-size: 10m, max-file: \"3\"}", "    options: {}", "a log that ends"),
        ("\"/usr/local/bin/daybook\", \"ready\"", "\"/bin/true\"", "whether it is ready"),
    ];
    finds(&facts, "compose", &read("docker-compose.yml"), &own);
    let test = [
        ("DAYBOOK_ROLES: relay,sync", "DAYBOOK_ROLES: relay", "each role once"),
        (
            "DAYBOOK_DATABASE_URL_FILE: /run/secrets/app-url",
            "DAYBOOK_DATABASE_URL: postgres://me:word@postgres/daybook",
            "are secrets",
        ),
        (
            "secrets: [app-url, owner-url, master-key, broker-url]",
            "secrets: [app-url, owner-url, master-key]",
            "that it is not given",
        ),
    ];
    finds(&facts, "compose", &read("deploy/compose/test.yml"), &test);
}
