"""Touches everything of moto's that the embedded AWS stands on.

moto has no public extension point. When a new release moves a name, a test here fails by that name, before
anything else fails in a way that is hard to read.
"""

from __future__ import annotations

import ast
import inspect
import io
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import embedded_aws
from embedded_aws.apprunner.component import AppRunnerComponent
from embedded_aws.cloudfront.edge import Edge
from embedded_aws.ecs.scheduler import Fargate
from embedded_aws.elbv2.balancer import Balancer
from embedded_aws.endpoint.services import Maker, name_of
from embedded_aws.kernel.data_plane import DataPlane
from embedded_aws.kernel.pace import Pace
from embedded_aws.moto import adapter, dispatch, patches
from embedded_aws.runtime.runtime import Runtime
from embedded_aws.services import keep_resources, own_services
from tests.embedded.handlers import HANDLERS

ACCOUNT, REGION = adapter.DEFAULT_ACCOUNT_ID, "us-east-2"
PACKAGE = Path(embedded_aws.__file__).parent
GLOBAL = ("iam", "route53", "sts")
STORES = {
    "acm": ("AWSCertificateManagerBackend", "acm:AcmStore"),
    "applicationautoscaling": (
        "ApplicationAutoscalingBackend",
        "application_autoscaling:AutoScalingStore",
    ),
    "ec2": ("EC2Backend", "ec2:Ec2Store"),
    "ecr": ("ECRBackend", "ecr:EcrStore"),
    "iam": ("IAMBackend", "iam:IamStore"),
    "logs": ("LogsBackend", "logs:LogsStore"),
    "resourcegroupstaggingapi": ("ResourceGroupsTaggingAPIBackend", "tagging:TaggingStore"),
    "route53": ("Route53Backend", "route53:Route53Store"),
    "secretsmanager": ("SecretsManagerBackend", "secretsmanager:SecretsStore"),
    "wafv2": ("WAFV2Backend", "wafv2:WafStore"),
}


def store_of(place: str) -> type:
    """The class at ``package:Class``, in the package's ``store``."""
    package, _, name = place.partition(":")
    found: type = getattr(import_module(f"embedded_aws.{package}.store"), name)
    return found


@pytest.fixture(scope="module")
def own() -> Iterator[Mapping[str, Maker]]:
    """What makes our response classes, of components that do not run; moto holds resources in our stores."""
    plane = DataPlane(Pace())
    runtime = Runtime.on(plane)
    balancer = Balancer(plane, runtime)
    edge = Edge(plane, balancer)
    fargate = Fargate(plane, runtime, balancer, "")
    app_runner = AppRunnerComponent(plane, runtime, "")
    keep_resources(plane, edge, app_runner)
    yield own_services(plane, runtime.images, balancer, edge, fargate, app_runner)
    for component in (app_runner, edge, fargate, balancer, *runtime.components):
        component.close()
    plane.loop.close()


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    """moto's state is global to the process."""
    adapter.empty_moto()
    yield
    adapter.empty_moto()


def test_the_account_is_as_in_awss_examples() -> None:
    assert adapter.DEFAULT_ACCOUNT_ID == "123456789012"


class Holder:
    """What moto's stores hold things in, with names of Python's."""

    task_arn = "arn"
    arn = "short"
    tags = ("tag",)


@pytest.mark.parametrize(
    "holder",
    [
        {"taskArn": "arn", "tags": ["tag"]},
        {"task_arn": "arn", "Tags": ["tag"]},
        {"Arn": "short", "TagSet": None},
        {"taskArn": None, "task_arn": "arn"},
        {},
        None,
        Holder(),
    ],
)
@pytest.mark.parametrize("service", ["ecs", "ec2", "elbv2", "iam"])
def test_members_of_answers_are_found_as_moto_finds_them(holder: object, service: str) -> None:
    """``ResponseSerializer.get_value``, ``XFormedAttributePicker``, ``AttributePickerContext``."""
    model = adapter.get_service_model(service)
    serializer_class = adapter.get_serializer_class(service, str(model.protocol))
    shapes = [model.shape_for(name) for name in model.shape_names]
    members = [
        (key, member)
        for shape in shapes
        if shape.type_name == "structure"
        for key, member in shape.members.items()
        if key.lower().endswith(("arn", "tags", "tagset"))
    ]
    assert members
    operation, motos_picker = model.operation_model(model.operation_names[0]), patches.Picker.__base__
    ours = serializer_class(operation, value_picker=patches.Picker())
    motos = serializer_class(operation, value_picker=motos_picker())
    for _ in range(2):  # the second time with names that are known
        for key, member in members:
            assert ours.get_value(holder, key, member) == patches.motos_get_value(motos, holder, key, member)


@pytest.mark.parametrize("name", sorted({*adapter.HOMES, *adapter.__all__}))
def test_every_name_is_there(name: str) -> None:
    assert getattr(adapter, name) is not None


def test_a_name_that_nobody_has_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        adapter.Nothing  # noqa: B018


BACKENDS = sorted(name for name, value in vars(adapter).items() if isinstance(value, adapter.Backends))


@pytest.mark.parametrize("name", BACKENDS)
def test_every_store_can_be_reached(name: str) -> None:
    backends = getattr(adapter, name)
    region = "aws" if name.removesuffix("_backends") in GLOBAL else REGION
    assert backends[ACCOUNT][region].account_id == ACCOUNT


@pytest.mark.parametrize("service", sorted(HANDLERS))
def test_our_classes_are_response_classes(own: Mapping[str, Maker], service: str) -> None:
    made = own[service]()
    assert isinstance(made, adapter.BaseResponse)
    assert name_of(type(made)) == HANDLERS[service]


def test_every_class_of_ours_is_tested(own: Mapping[str, Maker]) -> None:
    assert own.keys() == HANDLERS.keys()


@pytest.mark.parametrize("service", sorted(STORES))
@pytest.mark.usefixtures("own")
def test_our_stores_are_used(service: str) -> None:
    """``BackendDict.backend`` is the class that moto makes stores of."""
    name, store = STORES[service][0], store_of(STORES[service][1])
    region = "aws" if service in GLOBAL else REGION
    assert issubclass(store, getattr(adapter, name))
    assert type(adapter.Backends(service)[ACCOUNT][region]) is store


@pytest.mark.parametrize("service", sorted(STORES))
def test_what_our_stores_override_exists_in_motos(service: str) -> None:
    """An override that moto no longer calls would silently do nothing."""
    name, store = STORES[service][0], store_of(STORES[service][1])
    theirs = getattr(adapter, name)
    own = {
        "acm": {"users"},
        "applicationautoscaling": {"note_scaling"},
        "ec2": {"drop_service_group", "group", "group_named", "service_group", "visible_zones", "blocked"},
        "ecr": {"account_setting", "iter_tagged_resources", "put_account_setting"},
        "iam": {"add_client_id", "remove_client_id"},
        "logs": {"group", "search", "events", "protect"},
        "route53": {"authorization", "new_change", "records", "served", "public_zones", "served_since"},
        "wafv2": {"check_resource", "exists", "firewall", "firewall_of", "protected"},
    }.get(service, set())
    public = [
        one for one, value in vars(store).items() if inspect.isfunction(value) and not one.startswith("_")
    ]
    assert [one for one in public if one not in own and not hasattr(theirs, one)] == []


def test_iam_asks_our_store_for_awss_policies() -> None:
    """``_init_aws_policies`` is where moto parses 1600 policies; ours does so once."""
    first = adapter.iam_backends[ACCOUNT]["aws"].aws_managed_policies
    adapter.empty_moto()
    again = adapter.iam_backends[ACCOUNT]["aws"].aws_managed_policies
    assert len(first) > 1000
    assert first[0] is again[0]


def test_everything_is_forgotten() -> None:
    """``BackendDict._instances``, ``reset_model_data``."""
    adapter.create_log_group(ACCOUNT, REGION, "/g")
    adapter.empty_moto()
    assert adapter.logs_backends[ACCOUNT][REGION].groups == {}


def test_interfaces_are_made_and_given_back() -> None:
    """``enis``, ``get_subnet``, ``NetworkInterface`` and what it holds."""
    ec2 = adapter.ec2_backends[ACCOUNT][REGION]
    subnet = ec2.describe_subnets()[0]
    before = subnet.available_ip_address_count
    group = ec2.create_security_group("g", "d").id
    eni = adapter.create_eni(ACCOUNT, REGION, subnet.id, [group], "arn:aws:ecs:…", public=True)
    assert (eni.subnet_id, eni.vpc_id, eni.availability_zone) == (subnet.id, subnet.vpc_id, "us-east-2a")
    assert (eni.private_ip, eni.private_dns_name) == (
        "172.31.0.4",
        "ip-172-31-0-4.us-east-2.compute.internal",
    )
    assert eni.public_ip
    assert eni.mac_address
    assert subnet.available_ip_address_count == before - 1
    stored = ec2.enis[eni.id]
    assert (stored.status, stored.requester_managed, stored.attachment["Status"]) == (
        "in-use",
        True,
        "attached",
    )
    assert stored.association["publicIp"] == eni.public_ip
    assert [one.id for one in stored.group_set] == [group]
    for _ in range(2):
        adapter.delete_eni(ACCOUNT, REGION, eni.id)
    assert subnet.available_ip_address_count == before


@pytest.mark.parametrize(
    ("subnet", "groups", "code"),
    [("subnet-0", [], "InvalidSubnetID.NotFound"), (None, ["sg-0"], "InvalidGroup.NotFound")],
)
def test_an_interface_of_what_is_unknown_is_refused(subnet: str | None, groups: list[str], code: str) -> None:
    where = subnet or adapter.ec2_backends[ACCOUNT][REGION].describe_subnets()[0].id
    with pytest.raises(adapter.AwsError) as refused:
        adapter.create_eni(ACCOUNT, REGION, where, groups, "d", public=False)
    assert refused.value.code == code


def test_logs_are_written() -> None:
    """``groups``, ``ensure_log_stream``, ``put_log_events``, streams and their events."""
    for make in (adapter.create_log_stream, adapter.put_log_events):
        more = ([(1, "m")],) if make is adapter.put_log_events else ()
        with pytest.raises(adapter.AwsError) as refused:
            make(ACCOUNT, REGION, "/g", "s", *more)  # type: ignore[operator]
        assert (refused.value.code, refused.value.message) == (
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        )
    now = 1795500000000
    adapter.create_log_group(ACCOUNT, REGION, "/g")
    for _ in range(2):
        adapter.create_log_stream(ACCOUNT, REGION, "/g", "s")
    logs = adapter.logs_backends[ACCOUNT][REGION]
    logs.groups["/g"].streams["s"].put_log_events([{"timestamp": now, "message": "line"}])
    (event,) = logs.groups["/g"].streams["s"].events
    assert (event.timestamp, event.message) == (now, "line")


def test_metrics_are_reported() -> None:
    """``put_metric_data`` and ``metric_data`` of CloudWatch's store."""
    adapter.put_metrics(ACCOUNT, REGION, "AWS/AppRunner", [{"MetricName": "Requests", "Value": 3.0}])
    (datum,) = adapter.cloudwatch_backends[ACCOUNT][REGION].metric_data
    assert (datum.namespace, datum.name, datum.value) == ("AWS/AppRunner", "Requests", 3.0)


def test_secrets_are_read() -> None:
    secrets = adapter.secretsmanager_backends[ACCOUNT][REGION]
    secrets.create_secret("s", "v", None, None, [], None, None, [], False)
    assert adapter.get_secret_value(ACCOUNT, REGION, "s")["SecretString"] == "v"
    with pytest.raises(adapter.AwsError) as refused:
        adapter.get_secret_value(ACCOUNT, REGION, "s", None, "BLUE")
    assert refused.value.code == "ResourceNotFoundException"


def test_parameters_are_read() -> None:
    ssm = adapter.ssm_backends[ACCOUNT][REGION]
    ssm.put_parameter("/p", "", "v", "SecureString", "", "", False, [], "text", None, None)
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p"
    values, invalid = adapter.get_parameters(ACCOUNT, REGION, ["/p", arn, "none"])
    assert (values, invalid) == ({"/p": "v", arn: "v"}, ["none"])


def test_keys_of_secrets_and_parameters_are_found() -> None:
    """``kms_key_id``, ``keyid``, ``parameter_type``, ``any_id_to_key_id``, ``keys``; AWS's own keys are none."""
    kms = adapter.kms_backends[ACCOUNT][REGION]
    key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [])
    secrets = adapter.secretsmanager_backends[ACCOUNT][REGION]
    secrets.create_secret("mine", "v", None, None, [], key.id, None, [], False)
    secrets.create_secret("plain", "v", None, None, [], None, None, [], False)
    assert adapter.key_of_secret(ACCOUNT, REGION, "mine") == key.arn
    assert adapter.key_of_secret(ACCOUNT, REGION, "plain") is None
    ssm = adapter.ssm_backends[ACCOUNT][REGION]
    for name, kind, given in (
        ("/a", "SecureString", key.arn),
        ("/b", "SecureString", ""),
        ("/c", "String", ""),
    ):
        ssm.put_parameter(name, "", "v", kind, "", given, False, [], "text", None, None)
    keys = [adapter.key_of_parameter(ACCOUNT, REGION, name) for name in ("/a", "/b", "/c", "/none")]
    assert keys == [key.arn, None, None, None]


def test_ways_out_of_a_vpc_are_found() -> None:
    """What ``ec2.egress`` reads: route tables, gateways, endpoints."""
    ec2 = adapter.ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.0.0.0/16")
    assert (vpc.enable_dns_support, vpc.enable_dns_hostnames) == (True, False)
    (table,) = [one for one in ec2.route_tables.values() if one.vpc_id == vpc.id]
    subnet = ec2.create_subnet(vpc.id, "10.0.0.0/24", availability_zone=f"{REGION}a")
    ec2.associate_route_table(table.id, subnet_id=subnet.id)
    assert {(one["Main"], one.get("SubnetId")) for one in table.associations} == {
        (True, None),
        (False, subnet.id),
    }
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    nat = ec2.create_nat_gateway(subnet.id, None)
    assert (nat.state, nat.connectivity_type, nat.subnet_id) == ("available", "public", subnet.id)
    route = ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
    assert (route.destination_cidr_block, route.gateway, route.gateway.vpc) == ("0.0.0.0/0", gateway, vpc)
    others = ("nat_gateway", "transit_gateway", "vpc_pcx", "instance", "interface", "carrier_gateway")
    assert [getattr(route, name) for name in others] == [None] * 6
    endpoint = ec2.create_vpc_endpoint(vpc.id, "s", "Interface", None, [], [subnet.id])
    assert (endpoint.vpc_id, endpoint.service_name, endpoint.state) == (vpc.id, "s", "available")
    assert [ec2.enis[eni].subnet.id for eni in endpoint.network_interface_ids] == [subnet.id]


TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_roles_are_found_with_all_that_decides_about_them() -> None:
    """``roles``, ``policies``, ``managed_policies``, ``permissions_boundary_arn``, ``create_date``, versions."""
    iam = adapter.iam_backends[ACCOUNT]["aws"]
    arn = iam.create_role("r", TRUST, "/", ADMIN, "", [], "3600").arn
    iam.attach_role_policy(ADMIN, "r")
    inline = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}'
    iam.put_role_policy("r", "p", inline)
    role = adapter.find_role(ACCOUNT, arn)
    assert role is not None
    assert (role.name, role.trust, dict(role.inline)) == ("r", TRUST, {"p": inline})
    assert '"Allow"' in role.attached[ADMIN]
    assert role.boundary == role.attached[ADMIN]
    assert role.created.tzinfo is not None
    assert adapter.find_role(ACCOUNT, arn + "x") is None


def test_every_kind_of_error_becomes_ours() -> None:
    """ServiceException, and the older JsonRESTError with ``error_type``."""
    for service, call in (
        ("ec2", lambda: adapter.ec2_backends[ACCOUNT][REGION].get_subnet("subnet-0")),
        ("ssm", lambda: adapter.ssm_backends[ACCOUNT][REGION].get_parameters(["x"] * 11)),
        ("logs", lambda: adapter.logs_backends[ACCOUNT][REGION].delete_log_group("/none")),
    ):
        with pytest.raises(adapter.AwsError) as refused, adapter.aws_errors():
            call()
        assert refused.value.code, service
        assert refused.value.message, service


def environ(service: str, **more: Any) -> dict[str, Any]:
    """A WSGI environ of a signed request."""
    scope = f"Credential=x/20260101/{REGION}/{service}/aws4_request"
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b""),
        "CONTENT_LENGTH": "0",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        **more,
    }


def test_rest_operations_are_named_by_method_and_path() -> None:
    """``get_service_router``."""
    listing = environ("route53", REQUEST_METHOD="GET", PATH_INFO="/2013-04-01/hostedzone")
    assert dispatch.rest_operation("route53", listing) == "ListHostedZones"
    assert dispatch.rest_operation("route53", environ("route53", PATH_INFO="/nothing")) == ""
    assert dispatch.rest_operation("no-such-service", environ("no-such-service")) == ""


@pytest.mark.parametrize(
    ("signing", "model"),
    [
        ("elasticloadbalancing", "elbv2"),
        ("tagging", "resourcegroupstaggingapi"),
        ("application-autoscaling", "application-autoscaling"),
        ("ecs", "ecs"),
        ("lambda", "lambda"),
        ("apprunner", "apprunner"),
    ],
)
def test_signing_names_lead_to_botocores_models(signing: str, model: str) -> None:
    assert dispatch.model_name(signing) == model


@pytest.mark.parametrize(
    ("service", "holds"),
    [
        ("ecs", b"{"),
        ("iam", b"<ErrorResponse"),
        ("ec2", b"<Response"),
        ("batch", b"{"),
        ("route53", b"<ErrorResponse"),
    ],
)
def test_errors_are_written_by_motos_serializers(service: str, holds: bytes) -> None:
    """``get_serializer_class``, ``determine_request_protocol``, ``OperationModel``."""
    answer = dispatch.error_answer(service, "", adapter.AwsError("ValidationException", "m"))
    assert answer.status == 400
    assert holds in answer.body
    assert b"ValidationException" in answer.body


def test_stock_services_are_answered_by_motos_dispatcher() -> None:
    """``DomainDispatcherApplication``, ``create_backend_app``; what it does not know is NotImplementedError."""
    stock = dispatch.MotoApplication()
    listing = environ("cloudfront", REQUEST_METHOD="GET", PATH_INFO="/2020-05-31/distribution")
    assert b"DistributionList" in stock.answer(listing).body
    for unknown in (environ("apprunner"), environ("cloudfront", PATH_INFO="/nothing")):
        with pytest.raises(NotImplementedError):
            stock.answer(unknown)


def test_only_the_adapter_and_its_patches_import_moto() -> None:
    """So that this file can name everything that a new release may move."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found = [name for name in names if name.split(".")[0] == "moto"]
            assert not found or path.name in ("adapter.py", "patches.py"), f"{path} imports {found}"
