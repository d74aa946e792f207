"""Whatever somebody changes about the stack is named, repaired alone, and gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from lobster_tasks import converge
from lobster_tasks.errors import RefusedError
from lobster_tasks.stack import LiveResources
from tests.conftest import SPEED
from tests.embedded.firewalls import web_acl
from tests.embedded.test_conformance_elbv2_tls import make_certificate
from tests.embedded_process import EmbeddedProcess

from .converging import READ_ONLY, Account, Meddler, account_of, lifecycle, trust

NOTHING_DEPLOYED = frozenset({"health-check-grace-period", "minimum-healthy-percent", "circuit-breaker"})


@pytest.fixture(scope="module")
def somewhere(embedded_process: EmbeddedProcess) -> Account:
    """An account; what is in it is whatever the test before has left."""
    return account_of(embedded_process, SPEED)


@dataclass
class Proof:
    """The number of the last call when the stack was last seen as it should be; None when it was not.

    ``web_acl`` is the one that the settings name.
    """

    at: int | None = None
    web_acl: str = ""


@pytest.fixture(scope="module")
def proof() -> Proof:
    """What the tests of this module tell each other."""
    return Proof()


@pytest.fixture
def account(somewhere: Account, proof: Proof) -> Account:
    """An account in which the whole stack stands as it should; made anew only where it may not."""
    calls = somewhere.embedded.calls()
    is_proven = bool(calls) and calls[-1]["n"] == proof.at
    if not is_proven:
        somewhere.embedded.reset()
        proof.web_acl = web_acl(somewhere.embedded, "ours")
    account = somewhere.with_settings(*SETTINGS, "load_balancer.web_acl=" + proof.web_acl)
    if not is_proven:
        account.converge()
    proof.at = None
    return account


@dataclass(frozen=True)
class Drift:
    """What somebody does, where it shows, and the calls that put it right; ``also`` cannot be changed apart.

    Where it ``spoils`` the account there is more to it than shows in the plan.
    """

    what: str
    do: Callable[[Meddler], object]
    resource: str
    attribute: str
    repair: tuple[str, ...]
    also: tuple[str, ...] = ()
    spoils: bool = False

    @property
    def attributes(self) -> frozenset[str]:
        """Everything that differs."""
        return frozenset({self.attribute, *self.also})


def role(what: str, do: Callable[[Meddler], object], name: str, attribute: str, call: str) -> Drift:
    """A drift of a role."""
    return Drift(what, do, f"role/{name}", attribute, (f"iam:{call}",))


def group(what: str, do: Callable[[Meddler], object], *calls: str, name: str = "lobster-ecs-sg") -> Drift:
    """A drift of a security group's ingress."""
    repair = tuple(f"ec2:{call}SecurityGroupIngress" for call in calls)
    return Drift(what, do, f"security-group/{name}", "ingress", repair)


def shut_in(what: str, name: str) -> Drift:
    """A security group that lets nothing out."""
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]

    def do(meddler: Meddler) -> object:
        return meddler.ec2.revoke_security_group_egress(GroupId=meddler.group(name), IpPermissions=everything)

    return Drift(what, do, f"security-group/{name}", "egress", ("ec2:AuthorizeSecurityGroupEgress",))


def balancer(what: str, do: Callable[[Meddler], object], attribute: str, call: str) -> Drift:
    """A drift of the load balancer."""
    return Drift(what, do, "load-balancer/lobster-alb", attribute, (f"elasticloadbalancing:{call}",))


def health(attribute: str, **members: object) -> Drift:
    """A drift of the health check."""
    repair = ("elasticloadbalancing:ModifyTargetGroup",)
    return Drift(attribute, lambda m: m.set_health(**members), "target-group/lobster-tg", attribute, repair)


def target_group(what: str, attribute: str, **attributes: str) -> Drift:
    """A drift of a target group attribute."""
    repair = ("elasticloadbalancing:ModifyTargetGroupAttributes",)
    return Drift(
        what, lambda m: m.set_target_group(**attributes), "target-group/lobster-tg", attribute, repair
    )


def listener(what: str, do: Callable[[Meddler], object]) -> Drift:
    """A drift of what the listener does."""
    repair = ("elasticloadbalancing:ModifyListener",)
    return Drift(what, do, "listener/lobster-alb:80", "action", repair)


def service(what: str, do: Callable[[Meddler], object], attribute: str) -> Drift:
    """A drift of the service."""
    return Drift(what, do, "service/lobster-streamlit-service", attribute, ("ecs:UpdateService",))


def scaling(what: str, do: Callable[[Meddler], object], attribute: str, call: str) -> Drift:
    """A drift of auto scaling."""
    resource = "scalable-target/lobster-cluster/lobster-streamlit-service"
    return Drift(what, do, resource, attribute, (f"application-autoscaling:{call}",))


def definition(what: str, do: Callable[[Meddler], object], attribute: str, *also: str) -> Drift:
    """A drift of the task definition."""
    repair = ("ecs:RegisterTaskDefinition",)
    return Drift(what, do, "task-definition/lobster-streamlit-task", attribute, repair, also)


def variable(name: str) -> Drift:
    """A variable that has another value."""

    def change(m: Meddler) -> None:
        now = m.newest()["containerDefinitions"][0]["environment"]
        m.edit_container(
            environment=[each | {"value": "9"} if each["name"] == name else each for each in now]
        )

    return definition(f"{name} changed", change, f"lobster-streamlit.environment.{name}")


def configured(**members: object) -> Callable[[Meddler], object]:
    """A deployment configuration."""
    return lambda m: m.set_service(deploymentConfiguration=members)


def logs_to(m: Meddler, group: str) -> dict[str, object]:
    """The container's log configuration, but another group."""
    now = m.newest()["containerDefinitions"][0]["logConfiguration"]
    return now | {"options": now["options"] | {"awslogs-group": group}}


def speak_https(m: Meddler) -> None:
    """HTTPS on port 80, with a certificate."""
    made = make_certificate("app.example.com")
    arn = m.acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
    m.elbv2.modify_listener(
        ListenerArn=m.listener,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": arn}],
        SslPolicy="ELBSecurityPolicy-2016-08",
    )


INLINE = "lobster-lobster"
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
SETTINGS = (
    "task.policies=" + READ_ONLY,
    "container.environment.A=1",
    "container.secrets.KEY=/lobster/key",
    "task.permissions_boundary=" + POWER_USER,
    "scaling.max=4",
)
DRIFTS = [
    role(
        "trust of App Runner",
        lambda m: m.iam.update_assume_role_policy(
            RoleName="ecsTaskRole", PolicyDocument=trust("tasks.apprunner.amazonaws.com")
        ),
        "ecsTaskRole",
        "trust",
        "UpdateAssumeRolePolicy",
    ),
    role(
        "trust of everybody's tasks",
        lambda m: m.iam.update_assume_role_policy(
            RoleName="ecsTaskExecutionRole", PolicyDocument=trust("ecs-tasks.amazonaws.com")
        ),
        "ecsTaskExecutionRole",
        "trust",
        "UpdateAssumeRolePolicy",
    ),
    role(
        "inline policy removed",
        lambda m: m.iam.delete_role_policy(RoleName="ecsTaskExecutionRole", PolicyName=INLINE),
        "ecsTaskExecutionRole",
        "policy",
        "PutRolePolicy",
    ),
    role(
        "inline policy changed",
        lambda m: m.iam.put_role_policy(
            RoleName="ecsTaskExecutionRole",
            PolicyName=INLINE,
            PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        ),
        "ecsTaskExecutionRole",
        "policy",
        "PutRolePolicy",
    ),
    role(
        "inline policy where none belongs",
        lambda m: m.iam.put_role_policy(
            RoleName="ecsTaskRole",
            PolicyName=INLINE,
            PolicyDocument='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
        ),
        "ecsTaskRole",
        "policy",
        "DeleteRolePolicy",
    ),
    role(
        "managed policy detached",
        lambda m: m.iam.detach_role_policy(RoleName="ecsTaskRole", PolicyArn=READ_ONLY),
        "ecsTaskRole",
        "managed-policies",
        "AttachRolePolicy",
    ),
    role(
        "boundary removed",
        lambda m: m.iam.delete_role_permissions_boundary(RoleName="ecsTaskRole"),
        "ecsTaskRole",
        "permissions-boundary",
        "PutRolePermissionsBoundary",
    ),
    role(
        "boundary of the execution role removed",
        lambda m: m.iam.delete_role_permissions_boundary(RoleName="ecsTaskExecutionRole"),
        "ecsTaskExecutionRole",
        "permissions-boundary",
        "PutRolePermissionsBoundary",
    ),
    *(
        role(
            f"the region's tag of {name} removed",
            lambda m, name=name: m.iam.untag_role(RoleName=name, TagKeys=["lobster:region"]),
            name,
            "region",
            "TagRole",
        )
        for name in ("ecsTaskRole", "ecsTaskExecutionRole")
    ),
    role(
        "another boundary",
        lambda m: m.iam.put_role_permissions_boundary(RoleName="ecsTaskRole", PermissionsBoundary=READ_ONLY),
        "ecsTaskRole",
        "permissions-boundary",
        "PutRolePermissionsBoundary",
    ),
    Drift(
        "retention",
        lambda m: m.logs.put_retention_policy(logGroupName="/ecs/lobster-streamlit", retentionInDays=7),
        "log-group//ecs/lobster-streamlit",
        "retention",
        ("logs:PutRetentionPolicy",),
    ),
    Drift(
        "kept for ever",
        lambda m: m.logs.delete_retention_policy(logGroupName="/ecs/lobster-streamlit"),
        "log-group//ecs/lobster-streamlit",
        "retention",
        ("logs:PutRetentionPolicy",),
    ),
    Drift(
        "no scan on push",
        lambda m: m.ecr.put_image_scanning_configuration(
            repositoryName="homara", imageScanningConfiguration={"scanOnPush": False}
        ),
        "repository/homara",
        "scan-on-push",
        ("ecr:PutImageScanningConfiguration",),
    ),
    Drift(
        "lifecycle policy removed",
        lambda m: m.ecr.delete_lifecycle_policy(repositoryName="homara"),
        "repository/homara",
        "lifecycle",
        ("ecr:PutLifecyclePolicy",),
    ),
    Drift(
        "lifecycle policy changed",
        lambda m: m.ecr.put_lifecycle_policy(repositoryName="homara", lifecyclePolicyText=lifecycle(3)),
        "repository/homara",
        "lifecycle",
        ("ecr:PutLifecyclePolicy",),
    ),
    balancer(
        "idle timeout",
        lambda m: m.set_balancer(idle_timeout__timeout_seconds="60"),
        "idle_timeout.timeout_seconds",
        "ModifyLoadBalancerAttributes",
    ),
    balancer(
        "invalid header fields let through",
        lambda m: m.set_balancer(routing__http__drop_invalid_header_fields__enabled="false"),
        "routing.http.drop_invalid_header_fields.enabled",
        "ModifyLoadBalancerAttributes",
    ),
    balancer(
        "another security group",
        lambda m: m.elbv2.set_security_groups(
            LoadBalancerArn=m.balancer, SecurityGroups=[m.group("default")]
        ),
        "security-groups",
        "SetSecurityGroups",
    ),
    balancer(
        "one security group more",
        lambda m: m.elbv2.set_security_groups(
            LoadBalancerArn=m.balancer, SecurityGroups=[m.group("default"), m.group("lobster-alb-sg")]
        ),
        "security-groups",
        "SetSecurityGroups",
    ),
    balancer(
        "all subnets, each with an address",
        lambda m: m.elbv2.set_subnets(LoadBalancerArn=m.balancer, Subnets=m.subnets),
        "subnets",
        "SetSubnets",
    ),
    balancer(
        "IPv6 too",
        lambda m: m.elbv2.set_ip_address_type(LoadBalancerArn=m.balancer, IpAddressType="dualstack"),
        "address-type",
        "SetIpAddressType",
    ),
    Drift(
        "another firewall",
        lambda m: m.protect("other"),
        "web-ACL-association/lobster-alb",
        "web-ACL",
        ("wafv2:AssociateWebACL",),
    ),
    group("ingress gone", lambda m: m.forbid("lobster-ecs-sg", 8501, "lobster-alb-sg"), "Authorize"),
    group("ingress too much", lambda m: m.allow("lobster-ecs-sg", 22, "0.0.0.0/0"), "Revoke"),
    group("ingress from another group too", lambda m: m.allow("lobster-ecs-sg", 8501, "default"), "Revoke"),
    group(
        "ingress from elsewhere",
        lambda m: (
            m.forbid("lobster-ecs-sg", 8501, "lobster-alb-sg"),
            m.allow("lobster-ecs-sg", 8501, "10.0.0.0/8"),
        ),
        "Authorize",
        "Revoke",
    ),
    group(
        "ingress on another port",
        lambda m: (
            m.forbid("lobster-ecs-sg", 8501, "lobster-alb-sg"),
            m.allow("lobster-ecs-sg", 8500, "lobster-alb-sg"),
        ),
        "Authorize",
        "Revoke",
    ),
    group(
        "nobody gets in",
        lambda m: m.forbid("lobster-alb-sg", 80, "0.0.0.0/0"),
        "Authorize",
        name="lobster-alb-sg",
    ),
    group(
        "more get in",
        lambda m: (m.allow("lobster-alb-sg", 443, "0.0.0.0/0"), m.allow("lobster-alb-sg", 80, "10.0.0.0/8")),
        "Revoke",
        "Revoke",
        name="lobster-alb-sg",
    ),
    shut_in("nothing gets out", "lobster-ecs-sg"),
    shut_in("nothing gets out of the load balancer", "lobster-alb-sg"),
    health("health-check-protocol", HealthCheckProtocol="HTTPS"),
    health("health-check-path", HealthCheckPath="/healthz"),
    health("health-check-interval", HealthCheckIntervalSeconds=30),
    health("health-check-timeout", HealthCheckTimeoutSeconds=3),
    health("health-check-port", HealthCheckPort="8502"),
    health("healthy-threshold", HealthyThresholdCount=5),
    health("unhealthy-threshold", UnhealthyThresholdCount=2),
    health("matcher", Matcher={"HttpCode": "200-399"}),
    target_group("no stickiness", "stickiness.enabled", stickiness__enabled="false"),
    Drift(
        "stickiness by the app's cookie",
        lambda m: m.set_target_group(
            stickiness__type="app_cookie", stickiness__app_cookie__cookie_name="session"
        ),
        "target-group/lobster-tg",
        "stickiness.type",
        ("elasticloadbalancing:ModifyTargetGroupAttributes",),
    ),
    target_group(
        "deregistration delay",
        "deregistration_delay.timeout_seconds",
        deregistration_delay__timeout_seconds="300",
    ),
    listener("forwarding elsewhere", lambda m: m.forward_elsewhere()),
    listener(
        "a fixed answer",
        lambda m: m.elbv2.modify_listener(
            ListenerArn=m.listener,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
        ),
    ),
    Drift(
        "HTTPS",
        speak_https,
        "listener/lobster-alb:80",
        "protocol",
        ("elasticloadbalancing:ModifyListener",),
        ("certificate", "TLS-policy"),
    ),
    service(
        "no grace", lambda m: m.set_service(healthCheckGracePeriodSeconds=0), "health-check-grace-period"
    ),
    service("a lower minimum", configured(minimumHealthyPercent=0), "minimum-healthy-percent"),
    service("a lower maximum", configured(maximumPercent=150), "maximum-percent"),
    service(
        "no circuit breaker",
        configured(deploymentCircuitBreaker={"enable": False, "rollback": False}),
        "circuit-breaker",
    ),
    service(
        "a circuit breaker without rollback",
        configured(deploymentCircuitBreaker={"enable": True, "rollback": False}),
        "circuit-breaker",
    ),
    service("no public address", lambda m: m.network(assignPublicIp="DISABLED"), "public-address"),
    service(
        "another security group",
        lambda m: m.network(securityGroups=[m.group("default")]),
        "security-groups",
    ),
    service("all subnets", lambda m: m.network(subnets=m.subnets), "subnets"),
    service("no tags on tasks", lambda m: m.set_service(propagateTags="NONE"), "tags-on-tasks"),
    service("no target group", lambda m: m.set_service(loadBalancers=[]), "target-group"),
    replace(
        scaling("a first task", lambda m: m.set_service(desiredCount=1), "minimum", "RegisterScalableTarget"),
        spoils=True,
    ),
    scaling("more tasks at most", lambda m: m.scale_within(0, 9), "maximum", "RegisterScalableTarget"),
    scaling("another target", lambda m: m.follow("average_cpu", 80), "average_cpu", "PutScalingPolicy"),
    scaling(
        "a metric more", lambda m: m.follow("average_memory", 70), "average_memory", "DeleteScalingPolicy"
    ),
    scaling(
        "requests as a metric",
        lambda m: m.follow("requests_per_target", 1000),
        "requests_per_target",
        "DeleteScalingPolicy",
    ),
    scaling(
        "requests of a load balancer of before",
        lambda m: m.follow_elsewhere(1000),
        "policies-of-before",
        "DeleteScalingPolicy",
    ),
    scaling("policy removed", lambda m: m.unfollow("average_cpu"), "average_cpu", "PutScalingPolicy"),
    definition("more CPU", lambda m: m.edit_definition(cpu="1024", memory="2048"), "cpu", "memory"),
    definition("more memory", lambda m: m.edit_definition(memory="2048"), "memory"),
    definition(
        "another processor",
        lambda m: m.edit_definition(
            runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
        ),
        "runtimePlatform",
    ),
    definition(
        "another execution role",
        lambda m: m.edit_definition(executionRoleArn=m.newest()["taskRoleArn"]),
        "executionRoleArn",
    ),
    definition(
        "another task role",
        lambda m: m.edit_definition(taskRoleArn=m.newest()["executionRoleArn"]),
        "taskRoleArn",
    ),
    definition(
        "instances too",
        lambda m: m.edit_definition(requiresCompatibilities=["FARGATE", "EC2"]),
        "requiresCompatibilities",
    ),
    definition(
        "for instances, on a network of their own",
        lambda m: m.edit_definition(requiresCompatibilities=["EC2"], networkMode="bridge"),
        "networkMode",
        "requiresCompatibilities",
    ),
    definition(
        "another port",
        lambda m: m.edit_container(portMappings=[{"containerPort": 8502}]),
        "lobster-streamlit.portMappings",
    ),
    definition(
        "another log group",
        lambda m: m.edit_container(logConfiguration=logs_to(m, "/ecs/elsewhere")),
        "lobster-streamlit.logConfiguration",
    ),
    *(variable(name) for name in ("PORT", "PYTHONUNBUFFERED", "STREAMLIT_SERVER_HEADLESS")),
    definition(
        "a variable more",
        lambda m: m.edit_container(
            environment=[*m.newest()["containerDefinitions"][0]["environment"], {"name": "B", "value": "2"}]
        ),
        "lobster-streamlit.environment.B",
    ),
    definition(
        "a variable changed",
        lambda m: m.edit_container(
            environment=[
                {"name": each["name"], "value": "2" if each["name"] == "A" else each["value"]}
                for each in m.newest()["containerDefinitions"][0]["environment"]
            ]
        ),
        "lobster-streamlit.environment.A",
    ),
    definition("a secret less", lambda m: m.edit_container(secrets=[]), "lobster-streamlit.secrets.KEY"),
    definition("a command", lambda m: m.edit_container(command=["true"]), "lobster-streamlit.command"),
]


@pytest.mark.parametrize("drift", DRIFTS, ids=[f"{each.resource}: {each.what}" for each in DRIFTS])
def test_a_drift_is_named_and_repaired_alone(account: Account, proof: Proof, drift: Drift) -> None:
    meddler = Meddler(account)
    drift.do(meddler)
    made = account.plan()
    (change,) = made.changes
    assert (change.action, change.resource.label) == ("update", drift.resource)
    assert change.changed == drift.attributes
    assert change.resource.words(drift.attribute) in change.reason
    deployments = [each["id"] for each in meddler.service()["deployments"]]
    account.embedded.forget_calls()
    account.apply(made)
    assert sorted(account.changes().elements()) == sorted(drift.repair)
    if drift.resource.startswith("service/") and drift.attribute in NOTHING_DEPLOYED:
        assert [each["id"] for each in meddler.service()["deployments"]] == deployments
    assert account.plan().changes == ()
    if not drift.spoils:
        proof.at = account.embedded.calls()[-1]["n"]


# What AWS cannot change in place, others may have made anew.


def made_anew(what: str, resource: str, attribute: str, *also: str, **members: object) -> Drift:
    """A load balancer, target group or service of our name and tag, with other members."""
    return Drift(what, lambda m: REMAKE[resource](m, **members), resource, attribute, (), also)


def remake_balancer(m: Meddler, elsewhere: bool = False, **members: object) -> None:
    """The load balancer, perhaps in a VPC that is not the stack's."""
    m.elbv2.delete_load_balancer(LoadBalancerArn=m.balancer)
    place = another_vpc(m)[1] if elsewhere else m.subnets[:2]
    m.elbv2.create_load_balancer(Name="lobster-alb", Subnets=place, Tags=OURS, **members)


def remake_group(m: Meddler, elsewhere: bool = False, **members: object) -> None:
    """The target group, perhaps in a VPC that is not the stack's."""
    m.elbv2.delete_listener(ListenerArn=m.listener)
    m.elbv2.delete_target_group(TargetGroupArn=m.target_group)
    usual = {"Protocol": "HTTP", "Port": 8501, "TargetType": "ip"}
    vpc = another_vpc(m)[0] if elsewhere else m.vpc
    m.elbv2.create_target_group(Name="lobster-tg", VpcId=vpc, Tags=OURS, **usual | members)


def remake_role(m: Meddler, role: str, **members: str) -> None:
    """A role of the same name, which trusts ECS and may do nothing."""
    for each in m.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        m.iam.detach_role_policy(RoleName=role, PolicyArn=each["PolicyArn"])
    for name in m.iam.list_role_policies(RoleName=role)["PolicyNames"]:
        m.iam.delete_role_policy(RoleName=role, PolicyName=name)
    m.iam.delete_role(RoleName=role)
    tags = [*OURS, {"Key": "lobster:region", "Value": "us-east-2"}]
    m.iam.create_role(
        RoleName=role, AssumeRolePolicyDocument=trust("ecs-tasks.amazonaws.com"), Tags=tags, **members
    )


def another_vpc(m: Meddler) -> tuple[str, list[str]]:
    """A VPC and two subnets in it."""
    vpc = m.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    places = ((f"10.9.{number}.0/24", f"us-east-2{zone}") for number, zone in enumerate("ab"))
    made = [m.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone) for cidr, zone in places]
    gateway = m.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    m.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return vpc, [each["Subnet"]["SubnetId"] for each in made]


OURS = [{"Key": "lobster:stack", "Value": "lobster"}]
BALANCER, GROUP = "load-balancer/lobster-alb", "target-group/lobster-tg"
SERVICE = "service/lobster-streamlit-service"
ROLES = ("ecsTaskExecutionRole", "ecsTaskRole")
REMAKE: dict[str, Callable[..., None]] = {
    BALANCER: remake_balancer,
    GROUP: remake_group,
    **{f"role/{each}": partial(remake_role, role=each) for each in ROLES},
}
ANEW = [
    made_anew("an internal one", BALANCER, "scheme", Scheme="internal"),
    made_anew("in another VPC", BALANCER, "vpc", elsewhere=True),
    made_anew("on another port", GROUP, "port", Port=8502),
    made_anew("HTTPS", GROUP, "protocol", Protocol="HTTPS"),
    made_anew("HTTP/2", GROUP, "protocol-version", ProtocolVersion="HTTP2"),
    made_anew("of instances", GROUP, "target-type", TargetType="instance"),
    made_anew("in another VPC", GROUP, "vpc", elsewhere=True),
    *(made_anew("with a path", f"role/{each}", "path", Path="/service-role/") for each in ROLES),
]


@pytest.mark.parametrize("drift", ANEW, ids=[f"{each.resource}: {each.what}" for each in ANEW])
def test_what_was_made_anew_and_cannot_be_changed_is_named_and_refused(
    account: Account, drift: Drift
) -> None:
    drift.do(Meddler(account))
    made = account.plan()
    (change,) = made.impossible
    assert change.resource.label == drift.resource
    assert drift.attributes <= change.changed
    with (
        account.no_change(),
        pytest.raises(RefusedError, match=f"{drift.resource} cannot be changed in place"),
    ):
        account.apply(made)


# What the embedded AWS does not have, as a reading would tell of it.
FOREIGN = [
    (BALANCER, "type", "network"),
    (SERVICE, "launch-type", "EC2"),
    (SERVICE, "deployment-controller", "CODE_DEPLOY"),
]


@pytest.mark.parametrize(("resource", "attribute", "value"), FOREIGN)
def test_what_is_of_another_kind_is_named_and_refused(
    account: Account, resource: str, attribute: str, value: str
) -> None:
    resources = account.resources()
    live = converge.read(account.aws, resources)
    (which,) = [each for each in live if each.label == resource]
    found = live[which]
    assert found is not None
    live[which] = replace(found, attributes={**found.attributes, attribute: value})
    (change,) = converge.plan(resources, live).changes
    assert (change.action, change.resource, change.changed) == ("replace", which, {attribute})


def test_every_attribute_that_the_stack_controls_has_its_drift(account: Account) -> None:
    """A family's name is what it is found by; nobody can change it. A former load balancer stays as it is."""
    resources = account.resources()
    known = LiveResources(converge.read(account.aws, resources))
    own = [each for each in resources.resources if not each.former]
    controlled = {(each.label, attribute) for each in own for attribute in each.desired(known)}
    cases = {(drift.resource, attribute) for drift in [*DRIFTS, *ANEW] for attribute in drift.attributes}
    cases |= {(resource, attribute) for resource, attribute, _ in FOREIGN}
    assert controlled - cases == {("task-definition/lobster-streamlit-task", "family")}
