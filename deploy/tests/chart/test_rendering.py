"""The chart with several values: valid objects, confined pods, one source of settings."""

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from api.requests.streams import StreamLimits
from deploy.tests.chart.programs import FOLDER, KUBERNETES
from deploy.tests.chart.rendering import (
    CHART,
    VALUES,
    HelmError,
    lint,
    pods,
    rendered,
    run_helm,
    variables,
)

EVERY = sorted(file.stem for file in VALUES.glob("*.yaml"))
OF_THE_OPERATOR = {"ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("values", EVERY)
def test_helm_finds_nothing_wrong(values: str) -> None:
    assert "0 chart(s) failed" in lint(values)


def test_the_values_of_the_page_are_values_that_render(tmp_path: Path) -> None:
    page = (CHART.parents[1] / "docs/kubernetes.md").read_text(encoding="utf-8")
    files = []
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block.replace("sha256:...", f"sha256:{'0' * 64}"))
        files += ["--values", str(file)]
    found = pods(rendered("least", *files))

    assert len(files) == 4
    for name in ("pao-api", "pao-worker", "pao-replay-gate"):
        assert variables(found[name])["TEMPORAL_API_KEY_FILE"] == "/secrets/TEMPORAL_API_KEY"


@pytest.mark.parametrize("values", EVERY)
def test_every_object_is_one_that_kubernetes_takes(values: str) -> None:
    for (kind, _), one in rendered(values).items():
        if kind not in OF_THE_OPERATOR:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)


@pytest.mark.parametrize("values", EVERY)
def test_every_pod_is_confined(values: str) -> None:
    for pod in pods(rendered(values)).values():
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_a_digest_names_image_and_build() -> None:
    for name, pod in pods(rendered("eks")).items():
        assert pod["containers"][0]["image"].endswith(f"/pao@sha256:{'0123456789abcdef' * 4}"), name
    for name in ("pao-api", "pao-worker", "pao-replay-gate"):
        build = variables(pods(rendered("eks"))[name])["PAO_BUILD_ID"]
        assert build == "0123456789abcdef" * 2


def test_the_owner_s_login_is_given_to_the_migration_only() -> None:
    for values in ("eks", "small"):
        found = {name: variables(pod) for name, pod in pods(rendered(values)).items()}
        owner = {name for name, given in found.items() if given.get("DATABASE_USER") == "pao_owner"}
        assert owner == {"pao-migrate"}
        assert "PAO_ENCRYPTION_KEYS_FILE" not in found["pao-migrate"]
    small = pods(rendered("small"))
    mounted = {
        name: {one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one}
        for name, pod in small.items()
    }
    assert mounted == {"pao-api": {"pao"}, "pao-worker": {"pao"}, "pao-migrate": {"pao-owner"}}


def test_everyone_who_connects_to_postgres_has_the_authority_to_trust() -> None:
    for name, pod in pods(rendered("eks")).items():
        if name != "pao-signed-call":
            file = Path(variables(pod)["DATABASE_SSL_ROOT_CERT"])
            assert str(file.parent) in {
                one["mountPath"] for one in pod["containers"][0]["volumeMounts"]
            }


def test_secrets_are_files_and_never_variables() -> None:
    api = pods(rendered("small"))["pao-api"]

    assert variables(api)["JIRA_API_TOKEN_FILE"] == "/secrets/JIRA_API_TOKEN"
    assert {"name": "secrets", "mountPath": "/secrets", "readOnly": True} in api["containers"][0][
        "volumeMounts"
    ]


def test_each_part_has_its_own_role_in_aws() -> None:
    objects = rendered("eks")
    roles = {
        name: one["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].rpartition("/")[2]
        for (kind, name), one in objects.items()
        if kind == "ServiceAccount"
    }

    assert roles == {name: name for name in ("pao-api", "pao-worker", "pao-migrate")}


def test_gate_migration_and_deployments_come_in_this_order() -> None:
    objects = rendered("eks")

    def hook(kind: str, name: str) -> tuple[str, int]:
        annotations = objects[kind, name]["metadata"]["annotations"]
        return annotations["helm.sh/hook"], int(annotations["helm.sh/hook-weight"])

    assert hook("ServiceAccount", "pao-migrate") == ("pre-install,pre-upgrade", -10)
    assert hook("Job", "pao-replay-gate") == ("pre-upgrade,pre-rollback", -5)
    assert hook("Job", "pao-migrate") == ("pre-install,pre-upgrade", 0)


def test_the_number_of_pods_is_the_autoscaler_s_where_there_is_one() -> None:
    for arguments in ((), ("--is-upgrade",)):
        assert "replicas" not in rendered("eks", *arguments)["Deployment", "pao-api"]["spec"]
        assert rendered("small", *arguments)["Deployment", "pao-api"]["spec"]["replicas"] == 1


def test_the_balancer_leaves_signed_calls_as_they_are_and_metrics_inside() -> None:
    ingress = rendered("eks")["Ingress", "pao-api"]
    attributes = ingress["metadata"]["annotations"]
    [rule] = ingress["spec"]["rules"]
    closed, everything = rule["http"]["paths"]

    balancer = attributes["alb.ingress.kubernetes.io/load-balancer-attributes"]
    assert "routing.http.preserve_host_header.enabled=true" in balancer
    idle = int(re.findall(r"idle_timeout\.timeout_seconds=(\d+)", balancer)[0])
    assert idle < 75, "below PAO_IDLE_TIMEOUT"
    assert idle > StreamLimits().heartbeat.total_seconds(), "streams are cut while they are silent"
    action = json.loads(attributes["alb.ingress.kubernetes.io/actions.closed"])
    assert action["fixedResponseConfig"]["statusCode"] == "404"
    assert (closed["path"], closed["pathType"]) == ("/api/v1/metrics", "Exact")
    assert everything["path"] == "/"
    assert rule["host"] == "pao.example.com"


def test_an_ingress_of_another_kind_gets_its_own_annotations() -> None:
    ingress = rendered("small")["Ingress", "pao-api"]

    assert (
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    )
    assert [one["path"] for one in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/"]


def test_a_pod_that_ends_drains_for_longer_than_the_balancer_takes() -> None:
    pod = pods(rendered("eks"))["pao-api"]
    attributes = rendered("eks")["Ingress", "pao-api"]["metadata"]["annotations"]
    interval = int(attributes["alb.ingress.kubernetes.io/healthcheck-interval-seconds"])
    failures = int(attributes["alb.ingress.kubernetes.io/unhealthy-threshold-count"])
    drain = int(variables(pod)["PAO_DRAIN"].removesuffix("s"))

    assert interval * failures < drain
    assert drain + 30 < pod["terminationGracePeriodSeconds"]


def test_pods_that_drain_or_stop_for_longer_are_given_the_time() -> None:
    sets = [
        "--set=api.terminationGracePeriodSeconds=90",
        "--set=worker.terminationGracePeriodSeconds=600",
    ]
    found = pods(rendered("eks", *sets))
    assert found["pao-api"]["terminationGracePeriodSeconds"] == 90
    assert found["pao-worker"]["terminationGracePeriodSeconds"] == 600


def test_probes_ask_about_the_process_alone() -> None:
    [container] = pods(rendered("eks"))["pao-api"]["containers"]
    startup = container["startupProbe"]

    assert startup["periodSeconds"] * startup["failureThreshold"] == 120
    assert container["livenessProbe"]["httpGet"]["path"] == "/api/v1/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/api/v1/health/ready?scope=process"


def test_nobody_gets_the_node_s_credentials() -> None:
    policies = {
        name: one for (kind, name), one in rendered("eks").items() if kind == "NetworkPolicy"
    }

    assert policies.keys() == {
        f"pao-{part}" for part in ("api", "worker", "migrate", "replay-gate")
    }
    for one in policies.values():
        blocks = [peer["ipBlock"] for rule in one["spec"]["egress"] for peer in rule.get("to", ())]
        assert all(block["except"] for block in blocks)


@pytest.mark.parametrize("release", ["pao", "production"])
def test_rules_and_monitors_name_their_jobs_alike_in_every_release(release: str) -> None:
    objects = rendered("eks", release=release)
    jobs = {
        relabeling["replacement"]
        for (kind, _), one in objects.items()
        if kind == "ServiceMonitor"
        for endpoint in one["spec"]["endpoints"]
        for relabeling in endpoint["relabelings"]
    }
    full = "pao" if release == "pao" else f"{release}-pao"

    assert jobs == {"pao-api", "pao-worker"}
    rules = yaml.safe_load((CHART / "files/pao.rules.yml").read_text(encoding="utf-8"))
    assert objects["PrometheusRule", full]["spec"] == rules
    dashboards = objects["ConfigMap", f"{full}-dashboards"]
    assert {json.loads(text)["uid"] for text in dashboards["data"].values()} == {
        "pao-service",
        "pao-requests",
    }
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_every_pod_of_a_release_runs_where_its_part_may() -> None:
    found = pods(rendered("tainted"))

    names = {"pao-api", "pao-worker", "pao-replay-gate", "pao-migrate", "pao-signed-call"}
    assert found.keys() == names
    for name, pod in found.items():
        assert pod["nodeSelector"] == {"role": "platform"}, name
        assert [one["key"] for one in pod["tolerations"]] == ["role"], name


def test_numbers_reach_the_processes_as_they_were_written() -> None:
    given = variables(pods(rendered("tainted"))["pao-api"])

    names = (
        "AWS_ACCOUNT_ID",
        "RATE_LIMIT_REQUESTS_PER_MINUTE",
        "TRACING_SAMPLE_RATE",
        "DB_IAM_AUTH",
    )
    assert [given[name] for name in names] == ["123456789012", "1000000", "0.25", "true"]
    assert len(given["PAO_BUILD_ID"]) == 63


def test_a_role_by_pod_identity_is_asked_of_the_node_s_agent_alone() -> None:
    policies = [one for (kind, _), one in rendered("tainted").items() if kind == "NetworkPolicy"]

    agents = [
        (peer["ipBlock"]["cidr"], [port["port"] for port in rule["ports"]])
        for policy in policies
        for rule in policy["spec"]["egress"]
        for peer in rule.get("to", ())
        if "except" not in peer["ipBlock"]
    ]
    assert agents == [("169.254.170.23/32", [80]), ("fd00:ec2::23/128", [80])] * len(policies)


def test_an_ingress_may_have_its_certificate_in_a_secret() -> None:
    [tls] = rendered("tainted")["Ingress", "pao-api"]["spec"]["tls"]

    assert tls == {"hosts": ["pao.example.com"], "secretName": "pao-tls"}


def test_an_alert_leads_to_its_section_where_the_pages_are_kept() -> None:
    groups = rendered("tainted")["PrometheusRule", "pao"]["spec"]["groups"]

    for alert in (rule for group in groups for rule in group["rules"] if "alert" in rule):
        section = alert["alert"].lower()
        url = f"https://git.example.com/pao/docs/alerts.md#{section}"
        assert alert["annotations"]["runbook_url"] == url
        assert "runbook" not in alert["annotations"]


def test_the_rules_raise_their_alerts_when_they_should() -> None:
    command = ["/usr/bin/promtool", "test", "rules", str(FOLDER / "rules.test.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 -- our own file

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("settings.JIRA_API_TOKEN=secret", "JIRA_API_TOKEN"),
        ("image.digest=latest", "digest"),
        ("replicas=3", "replicas"),
        ("rollout.promote=sometimes", "promote"),
        ("worker.replicas=0", "replicas"),
        ("settings.PAO_PORT=9000", "PAO_PORT"),
        ("settings.log_level=DEBUG", "log_level"),
        ("ingress.tls=pao-tls", "tls"),
        ("api.autoscaling.maxReplica=9", "maxReplica"),
        ("worker.toleration=none", "toleration"),
        ("networkPolicy.podidentity=1", "podidentity"),
        ("monitoring.runbooks=docs/alerts.md", "runbooks"),
    ],
)
def test_values_that_are_wrong_are_refused_by_name(given: str, said: str) -> None:
    with pytest.raises(HelmError, match=said):
        rendered("small", "--set-json", _as_json(given))


def _as_json(given: str) -> str:
    path, _, value = given.partition("=")
    return f"{path}={value if value.isdigit() else json.dumps(value)}"


def test_an_autoscaler_of_no_size_is_refused() -> None:
    with pytest.raises(HelmError, match="minReplicas is larger than maxReplicas"):
        rendered("eks", "--set", "api.autoscaling.minReplicas=9")


def test_an_image_and_a_host_must_be_named(tmp_path: Path) -> None:
    nothing = tmp_path / "values.yaml"
    nothing.write_text("{}\n")
    version = ("--kube-version", f"{KUBERNETES}.0")
    with pytest.raises(HelmError, match=r"image\.repository: missing"):
        run_helm("template", "pao", str(CHART), *version, "--values", str(nothing))
    with pytest.raises(HelmError, match=r"ingress\.host: missing"):
        rendered("least", "--set", "ingress.enabled=true")
