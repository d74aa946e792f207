"""How an App Runner service runs: its program, its address, its health, its logs, its figures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from tests.embedded.apprunner_stack import Sites
from tests.embedded.images import push, web_app
from tests.embedded_process import PATIENCE, eventually, start

Running = tuple[Sites, dict[str, Any]]

REFUSED_HOST = {"Host": "example.com"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """A service that all tests of its facts share; each looks at it, none changes it."""
    with start(speed=1000, boot_allowance=2) as process:
        yield _run(Sites(process))


def _run(sites: Sites) -> Running:
    secret = sites.process.client("secretsmanager").create_secret(Name="key", SecretString="s3cret")["ARN"]
    sites.process.client("ssm").put_parameter(Name="plain", Value="parameter", Type="String")
    reads = {
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameters"],
        "Resource": "*",
    }
    role = sites.role("instance", "tasks.apprunner.amazonaws.com", reads)
    source = sites.source(
        RuntimeEnvironmentVariables={"VERSION": "running", "PORT": "1"},
        RuntimeEnvironmentSecrets={"API_KEY": secret, "PLAIN": "plain"},
    )
    made = sites.create(SourceConfiguration=source, InstanceConfiguration={"InstanceRoleArn": role})
    return sites, made


def test_the_port_is_told_to_the_program(running: Running) -> None:
    """ "App Runner … sets PORT to the port that your service is configured with"."""
    sites, service = running
    assert sites.get(service, "/env").json()["PORT"] == "8501"


def test_secrets_are_read_as_the_instance_role(running: Running) -> None:
    """RuntimeEnvironmentSecrets: Secrets Manager ARN, SSM parameter ARN or name; the instance role reads them."""
    sites, service = running
    seen = sites.get(service, "/env").json()
    assert (seen["API_KEY"], seen["PLAIN"]) == ("s3cret", "parameter")


def test_the_program_has_the_instance_roles_credentials(running: Running) -> None:
    """InstanceRoleArn: "provides permissions to AWS actions that your running service calls"."""
    sites, service = running
    where = sites.get(service, "/env").json()["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    told = requests.get(where, timeout=PATIENCE).json()
    assert told["RoleArn"] == service["InstanceConfiguration"]["InstanceRoleArn"]
    assert told["AccessKeyId"].startswith("ASIA")


def test_requests_come_as_from_a_proxy_that_ended_tls(running: Running) -> None:
    """ "App Runner … terminates TLS"; the program sees HTTP/1.1 with X-Forwarded-Proto https and the client's Host."""
    sites, service = running
    seen = sites.get(service, "/headers").json()
    assert (seen["Host"], seen["X-Forwarded-Proto"]) == (service["ServiceUrl"], "https")
    assert seen["X-Forwarded-For"].startswith("127.0.0.1")


def test_a_websocket_is_refused(running: Running) -> None:
    """ "App Runner doesn't support WebSockets": the upgrade gets 403 from its Envoy, and the program never sees it."""
    sites, service = running
    with pytest.raises(InvalidStatus) as refusal:
        websockets.sync.client.connect(f"ws://{service['ServiceUrl']}/_stcore/stream")
    assert refusal.value.response.status_code == 403
    assert sites.get(service, "/_stcore/health").status_code == 200


def test_a_request_may_take_120_seconds(running: Running) -> None:
    """ "There is a total of 120 seconds request timeout limit": 504, though the program would have answered."""
    sites, service = running
    assert sites.get(service, "/slow?seconds=1").text == "late"
    late = sites.get(service, "/slow?seconds=12")
    assert (late.status_code, late.text) == (504, "upstream request timeout")


def test_bodies_pass_both_ways(running: Running) -> None:
    """HTTP requests and responses are passed on whole."""
    _, service = running
    answer = requests.post(f"http://{service['ServiceUrl']}/upload", data=b"x" * 5_000_000, timeout=PATIENCE)
    assert answer.text == "running POST 5000000"


def test_only_the_services_own_names_lead_to_it(running: Running) -> None:
    """A name that is no custom domain of the service has no route: 404."""
    sites, service = running
    assert sites.get(service, headers=REFUSED_HOST).status_code == 404


def test_logs_have_app_runners_groups_and_streams(running: Running) -> None:
    """ "/aws/apprunner/<service name>/<service ID>/service" (events, deployment/…) and "…/application" (instance/…)."""
    sites, service = running
    base = f"/aws/apprunner/site/{service['ServiceId']}"
    logs = sites.process.client("logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    assert groups == [f"{base}/application", f"{base}/service"]
    streams = logs.describe_log_streams(logGroupName=f"{base}/service")["logStreams"]
    assert [one["logStreamName"].split("/")[0] for one in streams] == ["deployment", "events"]
    (instance,) = logs.describe_log_streams(logGroupName=f"{base}/application")["logStreams"]
    sites.get(service, "/print?line=hello")
    eventually(lambda: "hello" in sites.lines(service, "application", instance["logStreamName"]))


def test_events_tell_of_the_deployment(running: Running) -> None:
    """The stream ``events`` tells what App Runner does, and each status."""
    sites, service = running
    lines = sites.lines(service, "service", "events")
    assert lines[0] == "[AppRunner] Service status is set to OPERATION_IN_PROGRESS."
    assert "[AppRunner] Health check is successful. Routing traffic to application." in lines
    assert lines[-1] == "[AppRunner] Service status is set to RUNNING."


def metric(sites: Sites, service: dict[str, Any], name: str, statistic: str = "Sum") -> float:
    """A statistic of a metric of a service over the last hour."""
    now = datetime.now(UTC)
    found = sites.process.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/AppRunner",
        MetricName=name,
        Dimensions=[
            {"Name": "ServiceName", "Value": service["ServiceName"]},
            {"Name": "ServiceID", "Value": service["ServiceId"]},
        ],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )
    return float(sum(point[statistic] for point in found["Datapoints"]))


def test_requests_are_counted_in_cloudwatch(sites: Sites) -> None:
    """AWS/AppRunner by ServiceName and ServiceID: Requests, 2xx, 4xx and 5xxStatusResponses, ActiveInstances."""
    service = sites.create()
    for _ in range(3):
        sites.get(service)
    sites.get(service, headers=REFUSED_HOST)
    expected = {"Requests": 4, "2xxStatusResponses": 3, "4xxStatusResponses": 1, "5xxStatusResponses": 0}
    eventually(lambda: {name: metric(sites, service, name) for name in expected} == expected)
    assert metric(sites, service, "ActiveInstances") >= 1


def test_health_checks_are_no_requests(sites: Sites) -> None:
    """Requests: "the number of HTTP requests that the service received"; ActiveInstances process some."""
    health = {"Protocol": "HTTP", "Path": "/health", "Interval": 1}
    service = sites.create(HealthCheckConfiguration=health)
    eventually(lambda: metric(sites, service, "ActiveInstances", "SampleCount") > 2)
    assert metric(sites, service, "Requests") == metric(sites, service, "ActiveInstances") == 0


def failure(sites: Sites, service: dict[str, Any]) -> str:
    """The lines of the log of a service that could not be created."""
    assert service["Status"] == "CREATE_FAILED"
    return "\n".join(sites.lines(service, "service", "events"))


def test_a_program_that_ends_fails_the_creation(sites: Sites) -> None:
    """ "Your application stopped or failed to start. See logs for more information.  Container exit code: 3"."""
    service = sites.create(SourceConfiguration=sites.source(RuntimeEnvironmentVariables={"EXIT_CODE": "3"}))
    assert (
        "Your application stopped or failed to start. See logs for more information.  Container exit code: 3"
        in (failure(sites, service))
    )


def test_a_wrong_port_fails_the_health_check(sites: Sites) -> None:
    """ "Health check failed on protocol `TCP` [Port: '8080']. Check your configured port number."."""
    image = push(sites.process.client("ecr"), web_app(), repository="fixed").reference
    source = sites.source(image, Port="8080", StartCommand="env PORT=8501 python web_app.py")
    told = failure(sites, sites.create(SourceConfiguration=source))
    assert "Health check failed on protocol `TCP` [Port: '8080']. Check your configured port number." in told
    assert "Failure reason : Health check failed." in told


def test_an_http_health_check_looks_at_the_status(sites: Sites) -> None:
    """HealthCheckConfiguration: Protocol HTTP, Path; a status of 400 or more is a failure."""
    source = sites.source(RuntimeEnvironmentVariables={"HEALTH_STATUS": "500"})
    health = {"Protocol": "HTTP", "Path": "/health", "Interval": 1, "UnhealthyThreshold": 2}
    told = failure(sites, sites.create(SourceConfiguration=source, HealthCheckConfiguration=health))
    assert "Health check failed on protocol `HTTP` [Path: '/health'], [Port: '8501']." in told


def test_an_image_that_is_not_there_fails_the_creation(sites: Sites) -> None:
    """ "Failed to pull your application image."."""
    source = sites.source(sites.image.replace(":v1", ":none"))
    assert "Failed to pull your application image." in failure(
        sites, sites.create(SourceConfiguration=source)
    )


def test_the_image_is_pulled_as_the_access_role(sites: Sites) -> None:
    """AccessRoleArn: "grants the App Runner service access to a source repository"."""
    role = sites.role("no-policy", "build.apprunner.amazonaws.com")
    told = failure(sites, sites.create(SourceConfiguration=sites.source(role=role)))
    assert "Reason: Invalid Access Role in AuthenticationConfiguration." in told


def test_a_secret_that_the_instance_role_may_not_read_fails_the_creation(sites: Sites) -> None:
    """The instance role needs secretsmanager:GetSecretValue."""
    secret = sites.process.client("secretsmanager").create_secret(Name="key", SecretString="x")["ARN"]
    role = sites.role("instance", "tasks.apprunner.amazonaws.com")
    service = sites.create(
        SourceConfiguration=sites.source(RuntimeEnvironmentSecrets={"KEY": secret}),
        InstanceConfiguration={"InstanceRoleArn": role},
    )
    assert "secretsmanager:GetSecretValue" in failure(sites, service)


def test_an_instance_that_ends_is_replaced(sites: Sites) -> None:
    """App Runner "monitors the health of your application" and replaces instances that fail."""
    service = sites.create()
    first = sites.get(service, "/pid").text
    sites.get(service, "/exit?code=3")
    eventually(lambda: sites.get(service, "/pid").text not in (first, "") and sites.get(service).ok)
    assert any("Container exit code: 3" in line for line in sites.lines(service, "service", "events"))


def test_the_start_command_replaces_the_images(sites: Sites) -> None:
    """StartCommand: "overrides the default image start command", one string."""
    command = """python -c 'import os; os.execvp("python", ["python", "web_app.py", "--", "a b"])'"""
    service = sites.create(SourceConfiguration=sites.source(StartCommand=command))
    assert sites.get(service).text == "web_app"


def test_as_many_instances_as_min_size_run(sites: Sites) -> None:
    """MinSize: "The service always has at least MinSize provisioned instances"."""
    two = sites.api.create_auto_scaling_configuration(AutoScalingConfigurationName="twice", MinSize=2)
    arn = two["AutoScalingConfiguration"]["AutoScalingConfigurationArn"]
    service = sites.create(AutoScalingConfigurationArn=arn)

    def both(_: int) -> str:
        sites.get(service, "/slow?seconds=0.2")
        return sites.get(service, "/pid").text

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(both, range(8)))) == 2


def test_an_update_loses_no_request(sites: Sites) -> None:
    """Deployments are blue/green: new instances take over when they are healthy."""
    service = sites.create()
    codes: list[int] = []
    sites.api.update_service(
        ServiceArn=service["ServiceArn"],
        SourceConfiguration=sites.source(RuntimeEnvironmentVariables={"VERSION": "two"}),
    )
    deadline = time.monotonic() + 30
    while (answer := sites.get(service)).text != "two" and time.monotonic() < deadline:
        codes.append(answer.status_code)
    assert answer.text == "two"
    assert set(codes) <= {200}


@pytest.mark.parametrize("public", [True, False])
def test_what_cannot_be_had_offline_exists_without_a_process(sites: Sites, public: bool) -> None:
    """A service from source code or from ECR Public is described as any other; its address says why it answers 503."""
    image = {"ImageIdentifier": "public.ecr.aws/nginx/nginx:latest", "ImageRepositoryType": "ECR_PUBLIC"}
    source = {"ImageRepository": image} if public else sites.code(sites.connection())
    service = sites.create(SourceConfiguration=source)
    assert service["Status"] == "RUNNING"
    answer = sites.get(service)
    assert (answer.status_code, "no process is behind this service" in answer.text) == (503, True)
    assert json.dumps(sites.lines(service, "service", "events")).count("runs no process for this source") == 1
