"""Reads the account, each thing once and in parallel; a refused call is a reading too.

Slow imports are inside functions, because the report of every command imports this package.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import templates, text_file
from ..account import (
    describe_target_health,
    find_distribution_before,
    find_service,
    find_target_group,
    find_task_definition,
    has_log_group,
)
from ..aws import Aws
from ..definition import container_of, images, log_groups
from ..dockerfile import parse
from ..dockerfile.scripts import FaultyScript, faulty_scripts
from ..errors import CredentialsError, InterruptedRunError, LobsterError
from ..image_reference import ecr_image
from ..in_parallel import in_parallel
from ..settings import Settings
from . import in_image, permissions
from .check import UnknownError
from .expiry import ExpiryPosition, expiry_position
from .facts import ContainerLogGroup, Facts, Name, Reading
from .references import network_of

_AT_ONCE = 16
# "Fargate On-Demand vCPU resource count" (Service Quotas, AWS Fargate)
ON_DEMAND_VCPUS = "L-3032A538"
_ROLES: tuple[Name, ...] = ("execution_role", "task_role")


class Readings(Mapping[Name, Reading]):
    """All readings by name, with what the readers need: AWS, the settings, the project's folder.

    The first thread that needs a reading makes it; others wait for it. ``given`` are values that are already known.
    """

    def __init__(
        self, aws: Aws, settings: Settings, folder: Path, given: Mapping[Name, Any] | None = None
    ) -> None:
        self.aws = aws
        self.settings = settings
        self.folder = folder
        self._given = given or {}
        self._lock = threading.Lock()
        self._readings: dict[Name, Future[Reading]] = {}

    def __getitem__(self, name: Name) -> Reading:
        with self._lock:
            is_first = name not in self._readings
            reading = self._readings.setdefault(name, Future())
        if is_first:
            self._read(name, reading)
        return reading.result()

    def __iter__(self) -> Iterator[Name]:
        return iter(READERS)

    def __len__(self) -> int:
        return len(READERS)

    def _read(self, name: Name, reading: Future[Reading]) -> None:
        try:
            made = Reading(self._given[name]) if name in self._given else _reading(READERS[name], self)
        except BaseException as error:
            reading.set_exception(error)  # otherwise other threads would wait forever
            raise
        reading.set_result(made)

    def known(self, name: Name) -> Any:
        """Another reading's value; raises UnknownError."""
        return self[name].known()

    def need(self, name: Name, absent: str) -> Any:
        """Another reading's value; raises UnknownError with ``absent`` if there is none."""
        value = self.known(name)
        if value is None:
            raise UnknownError(absent)
        return value


def gather(aws: Aws, settings: Settings, folder: Path) -> Facts:
    """Make all readings. Raises CredentialsError without credentials."""
    readings = Readings(aws, settings, folder)
    facts = Facts(settings, aws.account, aws.partition, readings)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(readings.__getitem__, READERS):
            pass
    return facts


def _reading(reader: Callable[[Readings], Any], readings: Readings) -> Reading:
    try:
        return Reading(reader(readings))
    except (CredentialsError, InterruptedRunError):
        raise
    except LobsterError as error:
        return Reading(error=error)
    except UnknownError as unknown:
        return Reading(unknown=str(unknown))


def _identity(readings: Readings) -> Mapping[str, str]:
    return readings.aws.identity


def _role(readings: Readings, name: str) -> Any:
    found = readings.aws.find("iam:GetRole", {"NoSuchEntity"}, name, RoleName=name)
    return found["Role"] if found else None


def _execution_role(readings: Readings) -> Any:
    return _role(readings, readings.settings.task.execution_role)


def _task_role(readings: Readings) -> Any:
    return _role(readings, readings.settings.task.task_role)


def _service_linked_role(readings: Readings) -> Any:
    return _role(readings, "AWSServiceRoleForECS")


def _cluster(readings: Readings) -> Any:
    name = readings.settings.cluster
    clusters = readings.aws.call("ecs:DescribeClusters", name, clusters=[name])["clusters"]
    return clusters[0] if clusters else None


def _service(readings: Readings) -> Any:
    cluster, name = readings.settings.cluster, readings.settings.service
    found = find_service(readings.aws, cluster, name, name)
    return found if found and found["status"] != "INACTIVE" else None


def _task_definition(readings: Readings) -> Any:
    """The revision that the service runs, or the family's latest one without a service."""
    service = readings.known("service")
    name = service["taskDefinition"] if service else readings.settings.task.family
    return find_task_definition(readings.aws, name)


def _defined(readings: Readings) -> Any:
    """The revision; None where it is not known, so that only the settings count."""
    return readings["task_definition"].value


def _image(readings: Readings) -> Any:
    """The revision's image in ECR; None if it does not exist."""
    definition = readings.need(
        "task_definition", f"there is no task definition {readings.settings.task.family}"
    )
    return _in_ecr(readings.aws, container_of(definition, readings.settings.container.name)["image"])


def _other_images(readings: Readings) -> Mapping[str, Any]:
    """The other containers' images in ECR here: reference → what ECR returns, None for a missing image."""
    definition = readings.need(
        "task_definition", f"there is no task definition {readings.settings.task.family}"
    )
    app = container_of(definition, readings.settings.container.name)["name"]
    found: dict[str, Any] = {}
    for name, reference in images(definition).items():
        image = ecr_image(reference)
        if (
            name != app
            and image
            and (image.registry, image.region) == (readings.aws.account, readings.aws.region)
        ):
            found[reference] = _in_ecr(readings.aws, reference)
    return found


def _in_ecr(aws: Aws, reference: str) -> Any:
    image = ecr_image(reference)
    if image is None:
        raise UnknownError(f"{reference} is not in ECR")
    if image.registry != aws.account or image.region != aws.region:
        raise UnknownError(f"{reference} is in another account or region")
    found = aws.find(
        "ecr:DescribeImages",
        {"ImageNotFoundException", "RepositoryNotFoundException"},
        reference,
        repositoryName=image.repository,
        imageIds=[image.id],
    )
    return found["imageDetails"][0] if found else None


def _expiry(readings: Readings) -> ExpiryPosition | None:
    """The position of the revision's image under the repository's lifecycle policy; None if no rule selects it."""
    found, repository = readings.known("image"), readings.settings.repository
    policy = readings.aws.find(
        "ecr:GetLifecyclePolicy",
        {"LifecyclePolicyNotFoundException", "RepositoryNotFoundException"},
        repository,
        repositoryName=repository,
    )
    if not policy or not found:
        return None
    every = readings.aws.pages("ecr:DescribeImages", "imageDetails", repository, repositoryName=repository)
    rules = json.loads(policy["lifecyclePolicyText"])["rules"]
    return expiry_position(
        rules, every, found["imageDigest"], datetime.fromtimestamp(readings.aws.clock.ago(0), UTC)
    )


def _covered(readings: Readings) -> frozenset[str]:
    return templates.covered_sources(readings.settings, readings.aws.account, readings.aws.partition)


def _log_group(readings: Readings) -> Any:
    name = readings.settings.logs.group
    groups = readings.aws.pages("logs:DescribeLogGroups", "logGroups", name, logGroupNamePrefix=name)
    return next((group for group in groups if group["logGroupName"] == name), None)


def _other_log_groups(readings: Readings) -> list[ContainerLogGroup]:
    """The log groups that the revision's containers write to, without that of the settings."""
    region, own = readings.settings.region, readings.settings.logs.group
    return [
        ContainerLogGroup(container, name, there, found=is_made or has_log_group(readings.aws, name, there))
        for container, options in log_groups(_defined(readings) or {}).items()
        for name, there in [(options["awslogs-group"], options.get("awslogs-region", region))]
        for is_made in [options.get("awslogs-create-group") == "true"]
        if (name, there) != (own, region)
    ]


def _network(readings: Readings) -> list[Any]:
    """The subnets of the service's tasks, or, without a service, those that the settings choose."""
    from ..stack import LiveResources, build
    from ..stack.network import Network

    service = readings.known("service")
    if service:
        subnets = network_of(service).get("subnets", [])
    else:
        stack = build(readings.settings, readings.aws.account, readings.aws.partition)
        network = next(each for each in stack.resources if isinstance(each, Network))
        live = network.read(readings.aws, LiveResources({}))
        subnets = list(readings.settings.network.task_subnets or live.attributes["subnets"]) if live else []
    if not subnets:
        raise UnknownError("there are no subnets")
    return readings.aws.pages("ec2:DescribeSubnets", "Subnets", "the subnets", SubnetIds=subnets)


def _zones(readings: Readings) -> Any:
    """The zones by their names, in the shape of DescribeAvailabilityZones."""
    from ..stack.network import zones_by_name

    return zones_by_name(readings.aws)


def _public_access(readings: Readings) -> Any:
    """What VPC Block Public Access blocks in the region (``mode``), and the ARNs of exclusions with their modes."""
    options, exclusions = in_parallel(
        lambda: readings.aws.call("ec2:DescribeVpcBlockPublicAccessOptions"),
        lambda: readings.aws.call("ec2:DescribeVpcBlockPublicAccessExclusions"),
    )
    left_out = {
        each["ResourceArn"]: each["InternetGatewayExclusionMode"]
        for each in exclusions["VpcBlockPublicAccessExclusions"]
        if each["State"] in ("create-complete", "update-complete")
    }
    return {**options["VpcBlockPublicAccessOptions"], "exclusions": left_out}


def _vcpus(readings: Readings) -> float:
    """The number of On-Demand vCPUs that the account's tasks may have at once."""
    asked = {"ServiceCode": "fargate", "QuotaCode": ON_DEMAND_VCPUS}
    answer = readings.aws.call("service-quotas:GetServiceQuota", "the quota of Fargate", **asked)
    return float(answer["Quota"]["Value"])


def _vpc(readings: Readings) -> str:
    return str(readings.known("network")[0]["VpcId"])


def _in_vpc(readings: Readings) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [_vpc(readings)]}]


def _route_tables(readings: Readings) -> Any:
    return readings.aws.pages(
        "ec2:DescribeRouteTables", "RouteTables", "the route tables", Filters=_in_vpc(readings)
    )


def _endpoints(readings: Readings) -> Any:
    return readings.aws.pages(
        "ec2:DescribeVpcEndpoints", "VpcEndpoints", "the VPC endpoints", Filters=_in_vpc(readings)
    )


def _security_groups(readings: Readings) -> Any:
    return readings.aws.pages(
        "ec2:DescribeSecurityGroups", "SecurityGroups", "the security groups", Filters=_in_vpc(readings)
    )


def _load_balancer(readings: Readings) -> Any:
    """The load balancer of the target group, or else the one with the name in the settings."""
    group = readings.known("target_group")
    named = readings.settings.load_balancer.name
    arns = group["LoadBalancerArns"] if group else []
    asked = {"LoadBalancerArns": arns[:1]} if arns else {"Names": [named]}
    found = readings.aws.find("elbv2:DescribeLoadBalancers", {"LoadBalancerNotFound"}, named, **asked)
    return found["LoadBalancers"][0] if found and found["LoadBalancers"] else None


def _listeners(readings: Readings) -> list[Any]:
    """The listeners, each with its ``Rules``."""
    from ..probe import listeners_of

    name = readings.settings.load_balancer.name
    balancer = readings.need("load_balancer", f"there is no load balancer {name}")
    return listeners_of(readings.aws, balancer["LoadBalancerArn"])


def _web_acl(readings: Readings) -> Any:
    """The web ACL in the settings; None if it does not exist."""
    from ..stack.firewall import read_web_acl

    named = readings.settings.load_balancer.web_acl
    if not named:
        raise UnknownError("load_balancer.web_acl is not set")
    return read_web_acl(readings.aws, named)


def _protection(readings: Readings) -> str:
    """The ARN of the web ACL that protects the load balancer; empty without one."""
    from ..stack.firewall import protecting

    name = readings.settings.load_balancer.name
    balancer = readings.need("load_balancer", f"there is no load balancer {name}")
    return protecting(readings.aws, balancer["LoadBalancerArn"], name)


def _distribution(readings: Readings) -> Any:
    """The distribution in front of the load balancer; None without one, and without permission to find it."""
    if not readings.settings.is_fronted:
        raise UnknownError("front.kind is none")
    name = readings.settings.load_balancer.name
    balancer = readings.need("load_balancer", f"there is no load balancer {name}")
    return find_distribution_before(readings.aws, balancer["LoadBalancerArn"], readings.settings.name)


def _front_web_acl(readings: Readings) -> Any:
    """The web ACL that the settings name for the distribution, or the stack's own that protects it; None without
    one."""
    from ..stack.visitors import is_web_acl_of, read_web_acl

    settings, found = readings.settings, readings.known("distribution") or {}
    protecting = found.get("DistributionConfig", {}).get("WebACLId", "")
    own = protecting if is_web_acl_of(protecting, settings.name, settings.region) else ""
    arn = settings.front.web_acl or own
    return read_web_acl(readings.aws, arn) if arn else None


def _front_ip_sets(readings: Readings) -> Any:
    """The IP sets that the stack's own web ACL allows, without those that do not exist."""
    from ..stack.visitors import ip_sets_in, read_ip_set

    if readings.settings.front.web_acl:
        raise UnknownError("the web ACL is not the stack's own")
    found = readings.known("front_web_acl") or {}
    read = (read_ip_set(readings.aws, arn) for arn in ip_sets_in(found.get("Rules", ())))
    return [each for each in read if each is not None]


def _target_group(readings: Readings) -> Any:
    """The target group of the service; without a service, the one with the name in the settings."""
    named = readings.settings.load_balancer.target_group
    service = readings.known("service") or {}
    arns = [each["targetGroupArn"] for each in service.get("loadBalancers", []) if "targetGroupArn" in each]
    return find_target_group(readings.aws, named, arn=next(iter(arns), ""), name=named)


def _target_health(readings: Readings) -> Any:
    name = readings.settings.load_balancer.target_group
    group = readings.need("target_group", f"there is no target group {name}")
    return describe_target_health(readings.aws, group["TargetGroupArn"], name)


def _answers(readings: Readings) -> Any:
    """The answers of the page and the WebSocket now, as visitors reach them."""
    from ..probe import find_public_endpoint, lacks_distribution, probe

    service = readings.need("service", f"there is no service {readings.settings.service}")
    if not service["runningCount"]:
        raise UnknownError("the service has no running task")
    endpoint = find_public_endpoint(
        readings.aws,
        [each["targetGroupArn"] for each in service.get("loadBalancers", [])],
        readings.settings.name,
    )
    if endpoint is None:
        raise UnknownError("no load balancer forwards to the service")
    if lacks_distribution(endpoint, readings.settings):
        raise UnknownError("no distribution was found before the load balancer")
    if endpoint.internal:
        raise UnknownError("the load balancer is internal; only its network can reach it")
    if endpoint.wants:
        raise UnknownError(endpoint.wants)
    settings = readings.settings.probe
    answered = probe(readings.aws.clock, endpoint, settings.path, settings.websocket, within=0.0)
    if endpoint.blocks(answered.page):
        raise UnknownError(f"{endpoint.guard} of the distribution does not allow this machine")
    if endpoint.allowed_sources and not answered.page.reached:
        raise UnknownError(
            f"the load balancer allows only {', '.join(endpoint.allowed_sources)}, not this machine"
        )
    if endpoint.unread_sources and not answered.page.reached:
        raise UnknownError(
            f"nothing answers, and whether the load balancer allows this machine is not known: its security groups "
            f"cannot be read ({endpoint.unread_sources})"
        )
    return answered


def _dockerfile(readings: Readings) -> Any:
    path = readings.folder / readings.settings.dockerfile
    try:
        text = text_file.read_as_written(path, any_bytes=True)
    except FileNotFoundError:
        return None
    except (OSError, text_file.EncodingError) as error:
        raise UnknownError(f"{readings.settings.dockerfile} cannot be read ({error})") from error
    return parse(text, name=readings.settings.dockerfile)


def _streamlit_config(readings: Readings) -> Mapping[str, Any]:
    """The ``[server]`` section of the image's .streamlit/config.toml, empty where there is none."""
    found = readings.known("dockerfile")
    return in_image.streamlit_config(found, readings.settings.container, readings.folder) if found else {}


def _gunicorn_file_binds(readings: Readings) -> bool:
    """Whether the image's gunicorn.conf.py may set where Gunicorn listens."""
    found = readings.known("dockerfile")
    return bool(found) and in_image.gunicorn_file_binds(found, readings.settings.container, readings.folder)


def _start_scripts(readings: Readings) -> tuple[FaultyScript, ...]:
    """The start scripts in the project's folder that Linux cannot start as they are."""
    found = readings.known("dockerfile")
    command = readings.settings.container.command
    return faulty_scripts(found, readings.folder, command) if found else ()


def _may_pass(readings: Readings) -> Any:
    """Whether the caller may pass the two roles, as far as they exist."""
    roles = [readings.known(name) for name in _ROLES]
    return permissions.may_pass(readings.aws, [role["Arn"] for role in roles if role])


# In an order in which few readings wait for others.
READERS: Mapping[Name, Callable[[Readings], Any]] = {
    "identity": _identity,
    "execution_role": _execution_role,
    "task_role": _task_role,
    "service_linked_role": _service_linked_role,
    "cluster": _cluster,
    "service": _service,
    "load_balancer": _load_balancer,
    "target_group": _target_group,
    "log_group": _log_group,
    "other_log_groups": _other_log_groups,
    "dockerfile": _dockerfile,
    "streamlit_config": _streamlit_config,
    "gunicorn_file_binds": _gunicorn_file_binds,
    "start_scripts": _start_scripts,
    "secrets": lambda readings: permissions.read_secrets(
        readings.aws, readings.settings.container, _defined(readings)
    ),
    "network": _network,
    "task_definition": _task_definition,
    "listeners": _listeners,
    "web_acl": _web_acl,
    "protection": _protection,
    "distribution": _distribution,
    "front_web_acl": _front_web_acl,
    "front_ip_sets": _front_ip_sets,
    "target_health": _target_health,
    "answers": _answers,
    "may_pull": lambda readings: permissions.may_pull(
        readings.aws, readings.settings.repository, _role_arn(readings), _defined(readings)
    ),
    "may_log": lambda readings: permissions.may_log(
        readings.aws, readings.settings, _role_arn(readings), _defined(readings)
    ),
    "may_read_secrets": lambda readings: permissions.may_read_secrets(
        readings.aws, _role_arn(readings), readings.known("secrets")
    ),
    "may_read_parameters": lambda readings: permissions.may_read_parameters(
        readings.aws, _role_arn(readings), readings.known("secrets")
    ),
    "may_decrypt": lambda readings: permissions.may_decrypt(
        readings.aws, _role_arn(readings), readings.known("secrets")
    ),
    "may_pass": _may_pass,
    "image": _image,
    "other_images": _other_images,
    "expiry": _expiry,
    "covered": _covered,
    "route_tables": _route_tables,
    "endpoints": _endpoints,
    "zones": _zones,
    "public_access": _public_access,
    "vcpus": _vcpus,
    "security_groups": _security_groups,
}


def _role_arn(readings: Readings) -> str:
    name = readings.settings.task.execution_role
    return str(readings.need("execution_role", f"there is no role {name}")["Arn"])
