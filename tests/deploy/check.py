"""Checks what the program is deployed with: the files of deploy/, the Compose files, the Dockerfile, and what is said of
them in docs/.

It needs the packages of requirements.txt, and `promtool`, `haproxy` and `shellcheck`; `make deploy` has all of them. Each
check yields what is wrong; that is printed, and the exit is 1.

    check.py [ROOT]
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import check_jsonschema
import jsonschema
import kubernetes_validate
import yaml
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as dashboards

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
DEPLOY = ROOT / "deploy"
STACK, SINGLE, CHECK = "docker-compose.yml", "docker-compose.single.yml", "deploy/compose.check.yml"
KUBERNETES = "1.33"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def text(path):
    return (ROOT / path).read_text()


def documents(path):
    return [document for document in yaml.safe_load_all(text(path)) if document is not None]


def compose(path=STACK):
    return documents(path)[0]


def run(*command, **options):
    """What a program says when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    return [] if done.returncode == 0 else [(done.stdout + done.stderr).strip()]


# --- Compose --------------------------------------------------------------------------------------


@check
def compose_files_follow_the_schema():
    schema = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/compose-spec.json"
    validator = jsonschema.Draft202012Validator(json.loads(schema.read_text()))
    for path in [STACK, SINGLE, CHECK]:
        for error in validator.iter_errors(compose(path)):
            yield f"{path}: {'/'.join(map(str, error.absolute_path))}: {error.message}"


@check
def what_is_mounted_is_there():
    for path in [STACK, SINGLE]:
        stack = compose(path)
        for name, service in stack["services"].items():
            for volume in service.get("volumes", []):
                source, target, *mode = volume.split(":")
                if not source.startswith("."):
                    if source not in stack["volumes"]:
                        yield f"{path}: {name}: there is no volume {source}"
                elif not (ROOT / source).exists():
                    yield f"{path}: {name}: {source} is not there"
                elif mode != ["ro"]:
                    yield f"{path}: {name}: {source} can be written to"


@check
def images_have_a_version():
    images = [(path, name, service["image"]) for path in [STACK, SINGLE] for name, service in compose(path)["services"].items() if "image" in service]
    images += [("Dockerfile", "FROM", image) for image in re.findall(r"^FROM (\S+:\S+)", text("Dockerfile"), re.M)]
    for path, name, image in images:
        tag = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", image).partition(":")[2]
        if "build" not in compose().get("services", {}).get(name, {}) and not re.match(r"v?\d+\.?\d*", tag) and not re.match(r"bookworm", tag):
            yield f"{path}: {name}: {image} is no version"
    if "26.7" not in compose()["services"]["clickhouse-1"]["image"]:
        yield "ClickHouse is not of the line of the embedded engine"


@check
def services_have_bounds_and_no_rights():
    for path in [STACK, SINGLE]:
        stack = compose(path)
        for name, service in stack["services"].items():
            wanted = {
                "restart": service.get("restart") == "unless-stopped",
                "cap_drop": service.get("cap_drop") == ["ALL"],
                "no-new-privileges": "no-new-privileges:true" in service.get("security_opt", []),
                "mem_limit": "mem_limit" in service,
                # Kafka writes beside its programs, and its file says so.
                "read_only": service.get("read_only") is True or name == "kafka",
                # The Collector has nothing to ask itself with; the program's is in the Dockerfile.
                "healthcheck": "healthcheck" in service or name == "collector" or "build" in service,
            }
            for setting, is_there in wanted.items():
                if not is_there:
                    yield f"{path}: {name} has no {setting}"
            for needed in service.get("depends_on", []):
                if needed not in stack["services"]:
                    yield f"{path}: {name} depends on {needed}, which is not there"
            for network in service.get("networks", []):
                if network not in stack.get("networks", {}):
                    yield f"{path}: {name}: there is no network {network}"
            if service.get("ports") and path == STACK and "public" not in service["networks"]:
                yield f"{path}: {name} is reached from outside, and not on the public network"
    if compose()["networks"]["data"] != {"internal": True}:
        yield f"{STACK}: the network of data leads out"


def variables(path):
    return {(name, rest) for name, rest in re.findall(r"\$\{(\w+)([^}]*)\}", text(path))}


@check
def variables_are_in_the_example():
    example = text(".env.example")
    known = set(re.findall(r"^#?([A-Z0-9_]+)=", example, re.M))
    secrets = set(re.findall(r"^([A-Z_]+)=$", example, re.M))
    used = variables(STACK) | variables(CHECK)
    for name in {name for path in [STACK, SINGLE, CHECK] for name, _ in variables(path)} - known:
        yield f"{name} is not in .env.example"
    # What is passed on has no `${…}`.
    passed = {name for service in compose()["services"].values() for name, value in (service.get("environment") or {}).items() if value is None}
    for name in known - {name for name, _ in used} - passed - {"COMPOSE_PROFILES"}:
        yield f"{name} is in .env.example, and nowhere else"
    for name, rest in used:
        if name in secrets and not rest.startswith(":?"):
            yield f"{name} is a secret, and does not have to be given"
        if name not in secrets and not rest.startswith(":-"):
            yield f"{name} has no default"


@check
def names_of_hosts_are_services_of_a_common_network():
    services = compose()["services"]
    asked = []
    for job in yaml.safe_load(text("deploy/prometheus/prometheus.yml"))["scrape_configs"]:
        asked += [("prometheus", target) for config in job["static_configs"] for target in config["targets"]]
    asked += [("balancer", target) for target in re.findall(r"^\s+server \S+ (\S+)", text("deploy/haproxy/haproxy.cfg"), re.M)]
    engine = ElementTree.fromstring(text("deploy/clickhouse/config.d/chartwell.xml"))
    asked += [("clickhouse-1", host.text) for host in engine.iter("host")]
    keeper = ElementTree.fromstring(text("deploy/keeper/keeper_config.xml"))
    asked += [("keeper-1", host.text) for host in keeper.iter("hostname")]
    for source in yaml.safe_load(text("deploy/grafana/provisioning/datasources/chartwell.yaml"))["datasources"]:
        asked.append(("grafana", source.get("url") or source["jsonData"]["host"]))
    for exporter in yaml.safe_load(text("deploy/collector/config.yaml"))["exporters"].values():
        asked.append(("collector", exporter["endpoint"]))
    environment = services["chartwell-1"]["environment"]
    asked += [("chartwell-1", url) for url in environment["CHARTWELL_CLICKHOUSE_URL"].split(",")]
    # The engine reads it, not the program.
    asked.append(("clickhouse-1", environment["CHARTWELL_ADMIN_DB_URL"].rpartition("@")[2]))
    for asker, place in asked:
        host = place.partition("://")[2] or place
        host = re.split(r"[:/]", host)[0]
        if host in ("127.0.0.1", "localhost"):
            continue
        if host not in services:
            yield f"{asker} asks {host}, which is no service"
        elif not set(services[asker]["networks"]) & set(services[host]["networks"]):
            yield f"{asker} and {host} have no network in common"


@check
def what_comes_from_the_environment_is_given():
    services = compose()["services"]
    for path, names in [
        ("deploy/clickhouse/config.d/chartwell.xml", ["clickhouse-1", "clickhouse-2"]),
        ("deploy/clickhouse/users.d/chartwell.xml", ["clickhouse-1", "clickhouse-2"]),
        ("deploy/keeper/keeper_config.xml", ["keeper-1", "keeper-2", "keeper-3"]),
        ("deploy/collector/config.yaml", ["collector"]),
        ("deploy/grafana/provisioning/datasources/chartwell.yaml", ["grafana"]),
        ("deploy/grafana/provisioning/alerting/chartwell.yaml", ["grafana"]),
        ("deploy/postgres/init.sql", ["postgres"]),
    ]:
        of_xml = re.findall(r'from_env="(\w+)"', text(path))
        of_others = re.findall(r'\$\{env:(\w+)\}|: \$([A-Z_]+)$|^\\set .*"\$(\w+)"', text(path), re.M)
        for variable in of_xml + [name for names_ in of_others for name in names_ if name]:
            for name in names:
                if variable not in services[name]["environment"]:
                    yield f"{path}: {variable} is not given to {name}"
        if path.endswith(".xml"):
            for element in ElementTree.fromstring(text(path)).iter():
                if re.search(r"password|secret", element.tag) and element.text and element.text.strip():
                    yield f"{path}: {element.tag} is written down"


# --- Kubernetes -----------------------------------------------------------------------------------


def kustomizations():
    return sorted((DEPLOY / "kubernetes").glob("*/kustomization.yaml"))


@check
def kustomizations_name_what_is_there():
    for path in kustomizations():
        folder, kustomization = path.parent, yaml.safe_load(path.read_text())
        patches = [patch["path"] for patch in kustomization.get("patches", [])]
        files = [name for generator in kustomization.get("configMapGenerator", []) for name in generator["files"]]
        for name in kustomization["resources"] + patches + files:
            if not (folder / name).exists():
                yield f"{path}: {name} is not there"
        for generator in kustomization.get("secretGenerator", []):
            for name in generator["envs"]:
                if not (folder / f"{name}.example").exists():
                    yield f"{path}: {name}.example is not there"
                if f"/{folder.relative_to(ROOT)}/{name}" not in text(".gitignore").splitlines():
                    yield f"{path}: {name} is not ignored"
        for image in kustomization.get("images", []):
            if not re.match(r"\d", image["newTag"]):
                yield f"{path}: {image['newTag']} is no version"
        # A folder beside it cannot be reached, so there is a copy.
        if "alerts.toml" in files and (folder / "alerts.toml").read_text() != text("alerts.toml"):
            yield f"{folder}/alerts.toml is not the alerts.toml of the repository: copy it"


def manifests():
    """Each manifest that is a whole one, with where it is from."""
    for path in kustomizations():
        kustomization = yaml.safe_load(path.read_text())
        for name in kustomization["resources"]:
            if (path.parent / name).is_file():
                for document in documents(path.parent / name):
                    yield f"{path.parent.name}/{name}", document


@check
def manifests_follow_the_schemas():
    yield from invalid(manifests())


def invalid(manifests):
    for place, document in manifests:
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{place}: {document.get('kind')}: {'/'.join(map(str, error.path))}: {error.message}"
        except Exception as error:
            yield f"{place}: {document.get('kind')}: {error}"


@check
def kustomize_makes_manifests_that_follow_the_schemas():
    """Where there is a kubectl, which brings kustomize; the manifests are checked without it, too."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kubernetes"
        shutil.copytree(DEPLOY / "kubernetes", copy)
        for overlay in ["cluster", "embedded"]:
            shutil.copy(copy / overlay / "secret.env.example", copy / overlay / "secret.env")
            done = subprocess.run([kubectl, "kustomize", copy / overlay], capture_output=True, text=True)
            if done.returncode != 0:
                yield f"{overlay}: {done.stderr.strip()}"
                continue
            made = list(yaml.safe_load_all(done.stdout))
            yield from invalid((overlay, document) for document in made)
            names = {(document["kind"], document["metadata"]["name"]) for document in made}
            pod = next(document for document in made if document["kind"] == "StatefulSet")["spec"]["template"]["spec"]
            wanted = {("ConfigMap", volume["configMap"]["name"]) for volume in pod["volumes"] if "configMap" in volume}
            wanted |= {("Secret", source["secretRef"]["name"]) for source in pod["containers"][0]["envFrom"]}
            for kind, name in wanted - names:
                yield f"{overlay}: the instance wants the {kind} {name}, which is not made"
            if pod["containers"][0]["image"].partition(":")[2] in ("", "latest"):
                yield f"{overlay}: the image has no version"


@check
def an_instance_is_guarded_and_can_drain():
    made = {(document["kind"], document["metadata"]["name"]): document for _, document in manifests()}
    instance = made["StatefulSet", "chartwell"]["spec"]
    pod = instance["template"]["spec"]
    container = pod["containers"][0]
    labels = instance["template"]["metadata"]["labels"]
    paths = json.loads(text("openapi/openapi.json"))["paths"]
    for (kind, name), document in made.items():
        spec = document.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        selector = (selector or {}).get("matchLabels", selector)
        if selector is not None and not selector.items() <= labels.items():
            yield f"{kind} {name} selects other pods: {selector}"
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
        if container[probe]["httpGet"]["path"] not in paths:
            yield f"{probe} asks for a path that is not there"
    startup = container["startupProbe"]
    if startup["periodSeconds"] * startup["failureThreshold"] < 600 + 120:
        yield "the start has less time than another instance may take to migrate, and servers to come"
    if (pod["securityContext"].get("runAsUser"), pod["securityContext"].get("runAsNonRoot")) != (10001, True):
        yield "the instance may be root"
    if "/etc/ssl/certs/ca-certificates.crt" not in text("Dockerfile"):
        yield "Dockerfile: the image has no certificate authorities: nobody can be asked by HTTPS"
    if "USER 10001:10001" not in text("Dockerfile"):
        yield "the user of the image is another one than that of the pod"
    if container["securityContext"] != {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}:
        yield "the container has rights that it does not need"
    # The schema takes any text for one.
    amounts = [amount for bounds in container["resources"].values() for amount in bounds.values()]
    for amount in amounts:
        if not re.fullmatch(r"\d+(\.\d+)?(m|[KMGT]i)?", str(amount)):
            yield f"{amount} is no amount"
    if pod.get("enableServiceLinks") is not False:
        yield "the Service chartwell would be told as CHARTWELL_SERVICE_HOST, which is no setting: the start would be refused"
    if pod["terminationGracePeriodSeconds"] < 50 or "preStop" not in container["lifecycle"]:
        yield "the instance has no time to drain"
    if made["Service", instance["serviceName"]]["spec"]["clusterIP"] != "None":
        yield "the service of the instances has an address"


# --- Prometheus and alerts ------------------------------------------------------------------------


def rules():
    groups = yaml.safe_load(text("deploy/prometheus/rules.yml"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@check
def prometheus_takes_its_settings():
    yield from run("promtool", "check", "config", DEPLOY / "prometheus/prometheus.yml")


@check
def rules_fire_when_they_should():
    yield from run("promtool", "test", "rules", ROOT / "tests/deploy/rules_test.yml")
    tested = yaml.safe_load(text("tests/deploy/rules_test.yml"))["tests"]
    cases = [case for test in tested for case in test["alert_rule_test"]]
    for rule in rules():
        name = rule["alert"]
        if not any(case["alertname"] == name and case["exp_alerts"] for case in cases):
            yield f"{name} is never seen to fire"
        if not any(case["alertname"] == name and not case["exp_alerts"] for case in cases):
            yield f"{name} is never seen not to fire"


def headings(path):
    """The places of a document, as they are in links."""
    found = re.findall(r"^#+ (.+)$", text(path), re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


@check
def alerts_have_a_place_in_the_runbook():
    places, wanted = headings("docs/runbook.md"), []
    for rule in rules():
        name, notes = rule["alert"], rule["annotations"]
        if rule["labels"].get("severity") not in ("page", "ticket", "info"):
            yield f"{name} has no severity"
        if not notes.get("summary"):
            yield f"{name} has no summary"
        file, _, place = notes.get("runbook", "").partition("#")
        # Grafana makes the place of the name.
        if (file, place) != ("docs/runbook.md", name.lower()):
            yield f"{name}: its runbook is {notes.get('runbook')}"
        wanted.append(name.lower())
    wanted += [rule["name"] for rule in tomllib.loads(text("alerts.toml"))["rule"]]
    for place in wanted:
        if place not in places:
            yield f"docs/runbook.md has nothing on {place}"
    sections = re.findall(r"^### `?([\w-]+)`?$", text("docs/runbook.md"), re.M)
    for section in sections:
        if section.lower() not in wanted:
            yield f"docs/runbook.md has {section}, which is no alert"
    for section in re.split(r"^### ", text("docs/runbook.md"), flags=re.M)[1:]:
        name, body = section.split("\n", 1)
        for part in ["Means", "Look", "Do", "Escalate"]:
            if f"**{part}.**" not in body:
                yield f"docs/runbook.md: {name} does not say: {part}"


def documented():
    """The metrics of docs/operations.md, and the labels of each."""
    found, last = {}, ""
    for line in text("docs/operations.md").splitlines():
        if not line.startswith("| `chartwell_"):
            continue
        first = re.search(r"`(chartwell_\w+)", line).group(1)
        # A column may have several names, abbreviated, and their labels behind the last one.
        column = line.split("|")[1]
        own = {label.strip() for labels in re.findall(r"\{([^}]*)\}", column) for label in labels.split(",")}
        for name in re.findall(r"`(chartwell_\w+|…\w+)", column):
            last = name if name.startswith("chartwell_") else first.rsplit("_", 2)[0] + "_" + name.removeprefix("…").lstrip("_")
            found[last] = own
    return found


def without_suffix(name):
    return re.sub(r"_(bucket|count|sum)$", "", name)


@check
def metrics_are_those_of_the_program():
    known = documented()
    files = ["deploy/prometheus/rules.yml", "docs/runbook.md", "tests/deploy/rules_test.yml"]
    files += [f"deploy/grafana/dashboards/{path.name}" for path in (DEPLOY / "grafana/dashboards").glob("*.json")]
    for path in files:
        for name, _, labels in re.findall(r'(chartwell_\w+)(\{((?:[^"}]|\\?"[^"]*")*)\})?', text(path)):
            if name in ("chartwell_reader", "chartwell_analytics"):
                continue
            if name not in known and without_suffix(name) not in known:
                yield f"{path}: there is no metric {name} in docs/operations.md"
                continue
            of_program = known.get(name) or known.get(without_suffix(name)) or set()
            for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*\\?"', labels):
                if label not in of_program | {"job", "instance", "le"} | ({"code"} if "rejected" in name else set()):
                    yield f"{path}: {name} has no label {label}"


# --- The balancer, the Collector, Grafana ---------------------------------------------------------


@check
def the_balancer_takes_its_settings():
    yield from run("haproxy", "-c", "-q", "-f", DEPLOY / "haproxy/haproxy.cfg")


# What the components have that are used here: there is no Collector to ask.
COMPONENTS = {
    "health_check": {"endpoint"},
    "otlp": {"protocols"},
    "memory_limiter": {"check_interval", "limit_mib", "spike_limit_mib", "limit_percentage", "spike_limit_percentage"},
    "attributes": {"actions", "include", "exclude"},
    "redaction": {"allow_all_keys", "allowed_keys", "ignored_keys", "blocked_key_patterns", "blocked_values", "allowed_values", "redact_all_types", "summary"},
    "batch": {"send_batch_size", "send_batch_max_size", "timeout"},
    "otlphttp": {"endpoint", "traces_endpoint", "logs_endpoint", "headers", "compression", "timeout", "retry_on_failure", "sending_queue", "tls"},
}
NESTED = {
    "retry_on_failure": {"enabled", "initial_interval", "max_interval", "max_elapsed_time", "randomization_factor", "multiplier"},
    "sending_queue": {"enabled", "num_consumers", "queue_size", "block_on_overflow", "storage", "sizer"},
}
ACTIONS = {"insert", "update", "upsert", "delete", "hash", "extract", "convert"}


@check
def the_collector_is_put_together_of_what_it_has():
    config = yaml.safe_load(text("deploy/collector/config.yaml"))
    for kind in config:
        if kind not in ("extensions", "receivers", "processors", "exporters", "connectors", "service"):
            yield f"there is no section {kind}"
    for kind in ["extensions", "receivers", "processors", "exporters"]:
        used = set(config["service"].get(kind, [])) | {name for pipeline in config["service"]["pipelines"].values() for name in pipeline.get(kind, [])}
        for name in used - set(config[kind]):
            yield f"{name} is used, and not among the {kind}"
        for name, settings in config[kind].items():
            if name not in used:
                yield f"{name} of the {kind} is not used"
            component = name.partition("/")[0]
            if component not in COMPONENTS:
                yield f"{component} is not among what is known here"
                continue
            for key in set(settings or {}) - COMPONENTS[component]:
                yield f"{name} has no {key}"
            for nested, known in NESTED.items():
                for key in set((settings or {}).get(nested, {})) - known:
                    yield f"{name}: {nested} has no {key}"
    for name, pipeline in config["service"]["pipelines"].items():
        if name not in ("traces", "logs"):
            yield f"nobody takes {name}"
        if pipeline["processors"][0] != "memory_limiter" or pipeline["processors"][-1] != "batch":
            yield f"{name}: memory_limiter has to be first, and batch last"
        if not any(processor.startswith("redaction") for processor in pipeline["processors"]):
            yield f"{name}: nothing is redacted"
    for action in config["processors"]["attributes/personal"]["actions"]:
        if action.get("action") not in ACTIONS or not ("key" in action or "pattern" in action):
            yield f"{action} is no action"
        patterns([action.get("pattern", "")])
    redaction = config["processors"]["redaction/secrets"]
    yield from patterns(redaction["blocked_key_patterns"] + redaction["blocked_values"])
    memory = config["processors"]["memory_limiter"]["limit_mib"]
    limit = compose()["services"]["collector"]["mem_limit"]
    if memory > 0.8 * int(limit.removesuffix("m")):
        yield f"memory_limiter lets it have {memory} MiB of {limit}"


def patterns(expressions):
    for expression in expressions:
        try:
            re.compile(expression)
        except re.error as error:
            yield f"{expression} is no regular expression: {error}"


def boards():
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json")):
        yield path.name, json.loads(path.read_text())


def missing(wanted, found, place=""):
    """What one document has and the other has not: keys that nobody knows are lost on the way."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            # What is empty may be left out.
            if key not in found and value not in ("", None, False, 0, [], {}):
                yield f"{place}/{key}"
            elif key in found:
                yield from missing(value, found[key], f"{place}/{key}")
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield place
        for index, (one, other) in enumerate(zip(wanted, found)):
            yield from missing(one, other, f"{place}/{index}")
    elif wanted != found and not (isinstance(wanted, (int, float)) and wanted == found):
        yield f"{place}: {wanted!r} is {found!r}"


@check
def dashboards_follow_the_schema():
    """They are read into Grafana's own model of dashboards, and written again: what it does not know is gone then."""
    plugins.register_default_plugins()
    uids = set()
    for name, board in boards():
        try:
            read = dashboards.Dashboard.from_json(json.loads(json.dumps(board)))
            again = json.loads(json.dumps(read, cls=encoder.JSONEncoder))
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {error}"
            continue
        for place in missing(board, again):
            yield f"{name}: {place}"
        ids = [panel["id"] for panel in board["panels"]]
        if len(set(ids)) != len(ids):
            yield f"{name}: two panels have one id"
        if board["uid"] in uids:
            yield f"{name}: its uid is that of another one"
        uids.add(board["uid"])
        sources = {source["uid"]: source["type"] for source in yaml.safe_load(text("deploy/grafana/provisioning/datasources/chartwell.yaml"))["datasources"]}
        for panel in board["panels"]:
            for target in [panel, *panel["targets"]]:
                source = target["datasource"]
                if sources.get(source["uid"]) != source["type"]:
                    yield f"{name}: {panel['title']}: there is no source {source}"
            if len({target["refId"] for target in panel["targets"]}) != len(panel["targets"]):
                yield f"{name}: {panel['title']}: two questions have one name"
            right = panel["gridPos"]["x"] + panel["gridPos"]["w"]
            if right > 24:
                yield f"{name}: {panel['title']} is beyond the edge"


@check
def questions_to_prometheus_are_ones():
    expressions = [target["expr"] for _, board in boards() for panel in board["panels"] for target in panel["targets"] if "expr" in target]
    alerting = yaml.safe_load(text("deploy/grafana/provisioning/alerting/chartwell.yaml"))
    expressions += [query["model"]["expr"] for group in alerting["groups"] for rule in group["rules"] for query in rule["data"] if "expr" in query["model"]]
    if len(expressions) < 20:
        yield "there are too few of them to be all"
    replaced = [expression.replace("$__rate_interval", "5m").replace("$__range", "1h") for expression in expressions]
    for expression in replaced:
        if "$" in expression:
            yield f"{expression} has a variable that is not known"
    rules = [{"record": f"dashboard:{index}", "expr": expression} for index, expression in enumerate(replaced)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
        file.flush()
        yield from run("promtool", "check", "rules", file.name)


@check
def grafana_tells_of_every_severity():
    alerting = yaml.safe_load(text("deploy/grafana/provisioning/alerting/chartwell.yaml"))
    told = {rule["labels"]["severity"] for group in alerting["groups"] for rule in group["rules"]}
    for severity in {rule["labels"]["severity"] for rule in rules()} - told:
        yield f"nobody is told of the severity {severity}"
    names = {point["name"] for point in alerting["contactPoints"]}
    for policy in alerting["policies"]:
        for receiver in {policy["receiver"], *(route["receiver"] for route in policy["routes"])} - names:
            yield f"there is no contact point {receiver}"
    for group in alerting["groups"]:
        for rule in group["rules"]:
            if rule["condition"] not in [query["refId"] for query in rule["data"]]:
                yield f"{rule['title']}: its condition is none of its questions"


# --- The image, and scripts -----------------------------------------------------------------------


@check
def the_image_is_described_well():
    yield from run("hadolint", "--no-color", ROOT / "Dockerfile")
    targets = set(re.findall(r"^FROM \S+ AS (\w+)", text("Dockerfile"), re.M))
    for path in [STACK, SINGLE]:
        for name, service in compose(path)["services"].items():
            target = service.get("build", {}).get("target")
            if "build" in service and target not in targets:
                yield f"{path}: {name}: the Dockerfile has no target {target}"
    benches = set(re.findall(r'^\[\[bench\]\]\nname = "(\w+)"', text("Cargo.toml"), re.M))
    listed = re.search(r"benches/\{([\w,]+)\}", text("Dockerfile"))
    if set(listed.group(1).split(",")) != benches:
        yield f"the Dockerfile stands in for other benches than {sorted(benches)}"


@check
def scripts_are_as_a_shell_should_be_spoken_to():
    yield from run("shellcheck", "--external-sources", *sorted(path.relative_to(ROOT) for path in (ROOT / "scripts").glob("*.sh")), cwd=ROOT)


def main():
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            problems = list(function())
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        print(f"{'failed' if problems else 'ok':<7} {name}")
        for problem in problems:
            print(f"        {problem}")
        failed += bool(problems)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
