"""What is wrong with files that deploy daybook, a fault a line: `policy.py FACTS kubernetes|compose FILE`.

FACTS has what the program knows, as JSON: the `variables` of its options, those of them that are `secrets`, and its `roles`.
"""

import json
import sys

import yaml

FINISH = 5 + 30  # seconds of the drain and of finishing (docs/operations)
PORTS = {"http": 8080, "operations": 9464}
PROBES = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
# They may be said by everybody on the way: what was not sent was not done.
UNSENT = {"connect-failure", "refused-stream", "reset-before-request"}

facts = json.load(open(sys.argv[1]))
faults = []


def rule(holds, what):
    if not holds:
        faults.append(what)


def known(name):
    """Whether the program has an option of this name, or reads it from a file."""
    return name in facts["variables"] or name.removesuffix("_FILE") in facts["secrets"]


def matches(selector, labels):
    return bool(selector) and all(labels.get(name) == value for name, value in selector.items())


def container_of(deployment):
    containers = deployment["spec"]["template"]["spec"]["containers"]
    rule(len(containers) == 1, f"{deployment['metadata']['name']}: one container")
    return containers[0]


def check_deployment(name, deployment, of_kind):
    pod, labels = deployment["spec"]["template"]["spec"], deployment["spec"]["template"]["metadata"]["labels"]
    container = container_of(deployment)
    sleeps = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    rule(sleeps >= 5, f"{name}: preStop sleeps until endpoints have changed")
    rule(pod.get("terminationGracePeriodSeconds", 0) > sleeps + FINISH, f"{name}: grace is longer than the end takes")
    rule(pod.get("automountServiceAccountToken") is False, f"{name}: no token of a service account")
    rule(pod.get("enableServiceLinks") is False, f"{name}: no variables of services")
    rule(pod.get("topologySpreadConstraints"), f"{name}: is spread")
    for spread in pod.get("topologySpreadConstraints", []):
        rule(matches(spread["labelSelector"]["matchLabels"], labels), f"{name}: is spread by labels that it has")
    context = pod.get("securityContext", {})
    rule(context.get("runAsNonRoot") is True and context.get("runAsUser") == 65532, f"{name}: runs as 65532")
    rule(context.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{name}: seccomp")
    own = container.get("securityContext", {})
    rule(own.get("allowPrivilegeEscalation") is False, f"{name}: no more privileges")
    rule(own.get("readOnlyRootFilesystem") is True, f"{name}: a root that is read only")
    rule(own.get("capabilities", {}).get("drop") == ["ALL"], f"{name}: no capabilities")
    for bound in ("requests", "limits"):
        rule({"cpu", "memory"} <= set(container.get("resources", {}).get(bound, {})), f"{name}: {bound} of both")
    tag = container["image"].rsplit("/", 1)[-1].partition(":")[2]
    rule(tag not in ("", "latest"), f"{name}: an image with a version")
    rule(container["args"] == ["serve"], f"{name}: it serves")
    starts = container.get("startupProbe", {})
    deadline = starts.get("periodSeconds", 10) * starts.get("failureThreshold", 3)
    rule(deployment["spec"].get("progressDeadlineSeconds", 600) > deadline, f"{name}: is given up no sooner than its start")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    rule(all(PORTS.get(port) == number for port, number in ports.items()), f"{name}: the program's ports")
    for probe, path in PROBES.items():
        asked = container.get(probe, {}).get("httpGet", {})
        rule(asked.get("path") == path and asked.get("port") == "operations", f"{name}: {probe} asks {path}")
    variables = {variable["name"]: variable.get("value", "") for variable in container["env"]}
    for variable, value in variables.items():
        rule(known(variable), f"{name}: {variable} is no option of the program")
        rule(variable not in facts["secrets"] and "@" not in value, f"{name}: {variable} is a secret, and stands there")
    listens = "api" in variables["DAYBOOK_ROLES"].split(",")
    rule(("http" in ports) == listens == ("DAYBOOK_LISTEN" in variables), f"{name}: listens if it has the role api")
    owner = "DAYBOOK_OWNER_DATABASE_URL_FILE" in variables
    rule(owner == ("projector" in variables["DAYBOOK_ROLES"]), f"{name}: only the projector makes tables")
    budgets = [it for it in of_kind("PodDisruptionBudget") if matches(it["spec"]["selector"]["matchLabels"], labels)]
    rule(len(budgets) == 1 and budgets[0]["spec"].get("maxUnavailable") == 1, f"{name}: one goes at a time")
    policies = [it["spec"] for it in of_kind("NetworkPolicy") if matches(it["spec"]["podSelector"]["matchLabels"], labels)]
    ruled = {way for policy in policies for way in policy["policyTypes"]}
    rule(ruled == {"Ingress", "Egress"}, f"{name}: who reaches whom is said")
    accounts = [it for it in of_kind("ServiceAccount") if it["metadata"]["name"] == pod.get("serviceAccountName")]
    rule(len(accounts) == 1 and accounts[0].get("automountServiceAccountToken") is False, f"{name}: an identity of its own")
    return variables["DAYBOOK_ROLES"].split(",")


def check_kubernetes(documents):
    def of_kind(kind, group=""):
        return [it for it in documents if it["kind"] == kind and it["apiVersion"].startswith(group)]

    deployments = {it["metadata"]["name"]: it for it in of_kind("Deployment")}
    roles = [role for name, it in deployments.items() for role in check_deployment(name, it, of_kind)]
    rule(sorted(roles) == sorted(facts["roles"]), f"each role once: {sorted(roles)}")
    identities = {it["spec"]["template"]["spec"]["serviceAccountName"] for it in deployments.values()}
    rule(len(identities) == len(deployments), "each deployment has an identity of its own")
    for namespace in of_kind("Namespace"):
        labels = namespace["metadata"].get("labels", {})
        rule(labels.get("pod-security.kubernetes.io/enforce") == "restricted", "pod security is restricted")
    rule(not of_kind("Secret"), "no secret stands in a file")
    for service in of_kind("Service"):
        selected = [it for it in deployments.values() if matches(service["spec"]["selector"], it["spec"]["template"]["metadata"]["labels"])]
        rule(len(selected) == 1, f"{service['metadata']['name']}: leads to one deployment")
        for port in service["spec"]["ports"]:
            ports = [it["name"] for chosen in selected for it in container_of(chosen)["ports"]]
            rule(port["targetPort"] in ports, f"{service['metadata']['name']}: leads to a port that there is")
    for scaler in of_kind("HorizontalPodAutoscaler"):
        target = deployments.get(scaler["spec"]["scaleTargetRef"]["name"])
        rule(target and "replicas" not in target["spec"], "who is scaled has no number of its own")
        rule(scaler["spec"]["minReplicas"] >= 2, "one that goes leaves another")
    if of_kind("Server", "policy.linkerd.io"):
        check_linkerd(of_kind)
    if of_kind("PeerAuthentication", "security.istio.io"):
        check_istio(of_kind)


def let_out(of_kind, namespace):
    """The ports of this namespace's programs that all of ours reach."""
    to = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    ours = [it["spec"] for it in of_kind("NetworkPolicy") if it["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "daybook"}}]
    ways = [way for policy in ours for way in policy.get("egress", []) if to in way.get("to", [])]
    return {port["port"] for way in ways for port in way.get("ports", [])}


def check_linkerd(of_kind):
    rule(let_out(of_kind, "linkerd") == {8080, 8086, 8090}, "linkerd: sidecars reach the mesh's own programs")
    for side in ("ingress", "egress"):
        ways = [way for it in of_kind("NetworkPolicy") for way in it["spec"].get(side, [])]
        rule(any(port["port"] == 4143 for way in ways for port in way.get("ports", [])), f"linkerd: sidecars reach each other: {side}")
    for namespace in of_kind("Namespace"):
        notes = namespace["metadata"]["annotations"]
        rule(notes.get("config.linkerd.io/default-inbound-policy") == "deny", "linkerd: nobody comes in by default")
        opaque = notes.get("config.linkerd.io/opaque-ports", "").split(",")
        rule({"5432", "6379", "5672"} <= set(opaque), "linkerd: the database, the cache and the broker are opaque")
    known_as = {it["metadata"]["name"]: it["spec"]["identities"] for it in of_kind("MeshTLSAuthentication")}
    asked = {it["spec"]["targetRef"]["name"]: it["spec"]["requiredAuthenticationRefs"] for it in of_kind("AuthorizationPolicy")}
    for server in of_kind("Server"):
        name = server["metadata"]["name"]
        rule(server["spec"]["port"] in PORTS, f"linkerd: {name} is a port of the program")
        whom = [identity for it in asked.get(name, []) for identity in known_as.get(it["name"], ["*"])]
        rule(whom and "*" not in whom, f"linkerd: {name} answers those alone who are named")


def check_istio(of_kind):
    rule(let_out(of_kind, "istio-system") == {15012}, "istio: sidecars reach the mesh's own program")
    for deployment in of_kind("Deployment"):
        variables = {it["name"]: it.get("value", "") for it in container_of(deployment)["env"]}
        trusted = variables.get("DAYBOOK_TRUSTED_PROXIES")
        rule(trusted is None or "127.0.0.6" in trusted.split(","), f"istio: {deployment['metadata']['name']} believes its sidecar")
    rule(all(it["spec"]["mtls"]["mode"] == "STRICT" for it in of_kind("PeerAuthentication")), "istio: mTLS alone")
    policies = of_kind("AuthorizationPolicy")
    rule(any(it["spec"] == {} for it in policies), "istio: what is not allowed is not")
    for policy in policies:
        for allowed in policy["spec"].get("rules", []):
            sources = [principal for it in allowed.get("from", []) for principal in it["source"].get("principals", [])]
            rule(sources and "*" not in sources, f"istio: {policy['metadata']['name']} names whom it lets in")
            ports = {port for it in allowed["to"] for port in it["operation"]["ports"]}
            rule(ports <= {str(port) for port in PORTS.values()}, f"istio: {policy['metadata']['name']}: the program's ports")
    for destination in of_kind("DestinationRule"):
        http = destination["spec"]["trafficPolicy"]["connectionPool"]["http"]
        rule(http.get("idleTimeout") == "60s", "istio: closes idle connections before daybook does, and after its word in a stream")
        limits = {"maxRequestsPerConnection", "maxConnectionDuration"} & (set(http) | set(destination["spec"]["trafficPolicy"]["connectionPool"].get("tcp", {})))
        rule(not limits, "istio: no end of a stream")
    for routes in of_kind("VirtualService"):
        rule(routes["spec"].get("gateways") == ["mesh"], "istio: it is said that routes are the sidecars'")
        for route in routes["spec"]["http"]:
            found, again = route.get("match", []), route.get("retries", {})
            streams = any(it.get("uri", {}).get("prefix") == "/v1/events/" for it in found)
            rule(not streams or route["timeout"] == "0s", "istio: a stream has no end")
            rule("attempts" in again, "istio: what is sent again is said, or the mesh decides")
            reads = found and all(it.get("method", {}).get("exact") == "GET" for it in found)
            once = again.get("attempts") == 0 or set(again.get("retryOn", "any").split(",")) <= UNSENT
            rule(reads or once, f"istio: {route.get('name')}: nothing is done twice")


def seconds(text):
    number, unit = int(text[:-1]), text[-1]
    return number * {"s": 1, "m": 60}[unit]


def check_compose(documents):
    (file,) = documents
    for name, service in file["services"].items():
        rule(service.get("healthcheck", {}).get("test"), f"{name}: a health check")
        rule(service.get("logging", {}).get("options", {}).keys() == {"max-size", "max-file"}, f"{name}: a log that ends")
        rule(service.get("read_only") is True, f"{name}: a root that is read only")
        rule(service.get("cap_drop") == ["ALL"], f"{name}: no capabilities")
        rule(service.get("security_opt") == ["no-new-privileges:true"], f"{name}: no more privileges")
        rule("mem_limit" in service and "pids_limit" in service, f"{name}: limits")
        rule(service.get("restart") == "unless-stopped", f"{name}: starts again")
        rule(not service.get("privileged") and "cap_add" not in service, f"{name}: nothing special")
        tag = service["image"].rsplit("/", 1)[-1].partition(":")[2]
        rule(tag and not tag.startswith("latest"), f"{name}: an image with a version")
        for port in service.get("ports", []):
            here = port.get("host_ip", "") if isinstance(port, dict) else ""
            by_itself = here.partition(":-")[2].rstrip("}") if here.startswith("${") else here
            rule(by_itself == "127.0.0.1" or ":?" in here, f"{name}: a port is published to this machine, or where it is said")
        for secret in service.get("secrets", []):
            rule((secret if isinstance(secret, str) else secret["source"]) in file.get("secrets", {}), f"{name}: {secret} is a secret")
        environment = service.get("environment") or {}
        given = {it if isinstance(it, str) else it.get("target", it["source"]) for it in service.get("secrets", [])}
        named = {str(value).split("/run/secrets/")[1] for value in environment.values() if "/run/secrets/" in str(value)}
        rule(named <= given, f"{name}: {sorted(named - given)} are secrets that it is not given")
        if service["image"].startswith(("daybook", "${DAYBOOK_IMAGE")):
            rule(seconds(service["stop_grace_period"]) > FINISH + 5, f"{name}: stops in its own time")
            rule(service["healthcheck"]["test"] == ["CMD", "/usr/local/bin/daybook", "ready"], f"{name}: is asked whether it is ready")
            for variable in environment:
                rule(known(variable), f"{name}: {variable} is no option of the program")
            if file.get("secrets"):
                written = {it for it in environment if it in facts["secrets"] and "@" in str(environment[it])}
                rule(not written, f"{name}: {written} are secrets, and stand there")
        if service["image"].startswith("postgres"):
            command = service["command"]
            rule("config_file=/etc/postgresql/compose.conf" in command, f"{name}: is tuned as daybook's own")
            mounted = {it.split(":")[1] for it in service["volumes"]}
            rule({"/etc/postgresql/compose.conf", "/etc/postgresql/daybook.conf"} <= mounted, f"{name}: is given its settings")
    if "secrets" in file:
        roles = [role for it in file["services"].values() for role in (it.get("environment") or {}).get("DAYBOOK_ROLES", "").split(",") if role]
        rule(not roles or sorted(roles) == sorted(facts["roles"]), f"each role once: {sorted(roles)}")


with open(sys.argv[3]) as given:
    {"kubernetes": check_kubernetes, "compose": check_compose}[sys.argv[2]]([it for it in yaml.safe_load_all(given) if it])
print("\n".join(faults), end="")
