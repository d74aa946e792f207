"""Builds a stack of resources from Settings.

``build`` contains the whole design. Each resource has references to its dependencies, from which the order of
creating, reading and removing follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .. import templates
from ..aws import Aws
from ..errors import SettingsError
from ..image_reference import registry_name
from ..settings import STACK_TAG, LoadBalancerSettings, ScalingSettings, Settings
from . import access
from .certificates import Certificate, ViewerCertificate
from .distribution import Distribution
from .ecr import Repository
from .ecs import NO_RELEASE, Cluster, Service, TaskDefinition
from .firewall import WebAclAssociation
from .iam import Role
from .load_balancing import HTTP_PORT, HTTPS_PORT, Listener, LoadBalancer, TargetGroup
from .logs import LogGroup
from .neighbours import Neighbours, StackNames
from .network import ANYWHERE, ANYWHERE_IPV6, Network, SecurityGroup
from .origin_access import OriginAccess
from .origin_facing import PREFIX_LIST, OriginFacing
from .resource import Attributes, Live, LiveResources, Resource, tags_of
from .scaling import ScalableTarget
from .sign_in import COGNITO, OIDC, SESSION_COOKIE, SignIn
from .visitors import VERSIONS, IpSet, WebAcl, web_acl_name
from .vpc_origin import VpcOrigin

__all__ = [
    "NO_RELEASE",
    "STACK_TAG",
    "Attributes",
    "Live",
    "LiveResources",
    "Neighbours",
    "Resource",
    "Stack",
    "StackNames",
    "access",
    "build",
    "build_access",
    "build_all",
    "tags_of",
]


Kind = TypeVar("Kind", bound=Resource)


@dataclass(frozen=True)
class Stack:
    """Every resource of one stack, each after its dependencies; of a slice, ``others`` are those that it leaves out."""

    name: str
    resources: tuple[Resource, ...]
    others: tuple[Resource, ...] = ()

    @property
    def former(self) -> tuple[Resource, ...]:
        """What belongs to a load balancer that another one replaces; mostly none of it exists."""
        return tuple(each for each in self.resources if each.former)

    def keeps_former(self, known: LiveResources) -> bool:
        """Whether that load balancer stays: the service is behind it, or is not known."""
        return self.service is None or self.service.uses_former(known)

    def __add__(self, other: Stack) -> Stack:
        """The resources of both."""
        return Stack(self.name, self.resources + other.resources)

    @property
    def cluster(self) -> Cluster | None:
        """The stack's cluster; this and the following are None in a slice without one."""
        return self._one(Cluster)

    @property
    def task_definition(self) -> TaskDefinition | None:
        """The stack's task definition."""
        return self._one(TaskDefinition)

    @property
    def service(self) -> Service | None:
        """The stack's service."""
        return self._one(Service)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the stack's domains; None also where the settings name a certificate, or no domain."""
        return self._one(Certificate)

    @property
    def names(self) -> StackNames:
        """Names of what the stack runs itself, to distinguish it from what others run."""
        return StackNames(
            (self.task_definition.name,) if self.task_definition else (),
            self.cluster.name if self.cluster else "",
            self.service.name if self.service else "",
        )

    def _one(self, kind: type[Kind]) -> Kind | None:
        return next((each for each in self.resources if isinstance(each, kind)), None)

    def slice(self, kinds: Iterable[str]) -> Stack:
        """The resources of these kinds (such as ``target-group``) and all their dependencies."""
        named, chosen = frozenset(kinds), set[Resource]()
        for resource in reversed(self.resources):
            if resource.kind in named or resource in chosen:
                chosen |= {resource, *resource.dependencies}
        left = tuple(each for each in self.resources if each not in chosen)
        return Stack(self.name, tuple(each for each in self.resources if each in chosen), left)


def build(settings: Settings, account: str, partition: str = "aws", *, leaves_former: bool = False) -> Stack:
    """The stack that the settings describe, in this account. Raises TemplateError and SettingsError.

    With the load balancer that has the other names: where there is one, the service stays in its target group unless
    it ``leaves_former``.
    """
    stack, network = settings.name, _network(settings)
    execution_role, task_role = roles = _roles(settings, account, partition)
    log_group = LogGroup(settings.logs.group, stack, settings.logs.retention_days)
    repository = Repository(settings.repository, stack, settings.images.keep)
    facing = OriginFacing(PREFIX_LIST, stack, network) if settings.is_fronted else None
    former = _former(settings, network)
    balancer_group, tasks_group = _security_groups(settings, network, facing, former.group)
    balancer, target_group = _load_balancing(settings, network, balancer_group, former.load_balancer)
    firewall = _firewall(settings.load_balancer, balancer, account)
    distribution = _distribution(settings, balancer, firewall, former, account, partition)
    listeners = _listeners(settings, balancer, target_group, firewall, (account, partition))
    cluster = Cluster(settings.cluster, stack)
    task_definition = _task_definition(settings, account, partition, roles, log_group, repository)
    service = Service(
        name=settings.service,
        stack=stack,
        cluster=cluster,
        task_definition=task_definition,
        network=network,
        security_group=tasks_group,
        target_group=target_group,
        listeners=listeners,
        container=settings.container.name,
        port=settings.container.port,
        public=settings.network.public,
        desired_count=settings.deployment.desired_count,
        minimum_healthy_percent=settings.deployment.minimum_healthy_percent,
        maximum_percent=settings.deployment.maximum_percent,
        rollback=settings.deployment.rollback,
        grace_period=settings.health_check.grace_period,
        more_groups=settings.network.security_groups,
        former_target_group=former.target_group,
        leaves_former=leaves_former,
    )
    resources = (
        *(execution_role, task_role, log_group, repository, network, *((facing,) if facing else ())),
        *former.resources,
        *(balancer_group, tasks_group, balancer, firewall),
        *_in_front(distribution),
        *(target_group, *_certificates(listeners), *_sign_ins(listeners), *listeners),
        *_origin_access(balancer_group, facing, distribution, listeners),
        *(cluster, task_definition, service, _scaling(settings.scaling, service, balancer)),
    )
    return Stack(stack, _identified(resources, settings))


def build_access(settings: Settings, account: str, partition: str = "aws") -> Stack:
    """GitHub's access: the OIDC provider, and the role for the workflows of ``github.repository``."""
    return Stack(settings.name, _identified(access.resources(settings, account, partition), settings))


def build_all(aws: Aws, settings: Settings, environ: Mapping[str, str], *, removing: bool = False) -> Stack:
    """The whole stack, with GitHub's access where the settings name a repository or it was set up before.

    ``settings`` have the load balancer's live names. Raises SettingsError where the repository is unknown, unless
    ``removing``, which does not need it.
    """
    where = (aws.account, aws.partition)
    if not _has_access(aws, settings):
        return build(settings, *where)
    named = settings if removing else access.with_repository(settings, environ)
    return build_access(named, *where) + build(settings, *where)


def _has_access(aws: Aws, settings: Settings) -> bool:
    """Whether GitHub's access is part of the stack: the settings name a repository, or the role is ours."""
    if settings.github.repository:
        return True
    role = build_access(settings, aws.account, aws.partition).resources[-1]
    found = role.read(aws, LiveResources({}))
    return found is not None and role.is_ours(found)


def _identified(resources: Iterable[Resource], settings: Settings) -> tuple[Resource, ...]:
    """The resources, each after its dependencies, with the stack's region and additional tags."""
    identity = {"extra_tags": tuple(settings.tags.items()), "region": settings.region}
    made: dict[Resource, Resource] = {}
    for each in resources:
        given = {member.name: getattr(each, member.name) for member in fields(each)}
        made[each] = replace(
            each, **{name: _instead(value, made) for name, value in given.items()} | identity
        )
    return tuple(made.values())


def _instead(value: Any, made: Mapping[Resource, Resource]) -> Any:
    """The value with references to the replacements in ``made``."""
    if isinstance(value, Resource):
        return made[value]
    return tuple(_instead(each, made) for each in value) if isinstance(value, tuple) else value


def _scaling(scaling: ScalingSettings, service: Service, balancer: LoadBalancer) -> ScalableTarget:
    name, targets = f"{service.cluster.name}/{service.name}", tuple(scaling.targets.items())
    group = service.target_group
    return ScalableTarget(name, service.stack, service, balancer, group, scaling.min, scaling.max, targets)


def _roles(settings: Settings, account: str, partition: str) -> tuple[Role, Role]:
    trust = json.dumps(templates.trust_policy(settings, account, partition))
    policies = {
        role: json.dumps(policy) if policy.get("Statement") else ""
        for role, policy in templates.role_policies(settings, account, partition).items()
    }
    task, boundary = settings.task, settings.task.permissions_boundary or ""
    execution = Role(task.execution_role, settings.name, trust, policies["execution"], boundary=boundary)
    return (
        replace(execution, setting="task.execution_role"),
        Role(
            task.task_role,
            settings.name,
            trust,
            policies["task"],
            settings.task_policies(partition),
            boundary,
            setting="task.task_role",
        ),
    )


def _network(settings: Settings) -> Network:
    network = settings.network
    name, vpc = network.vpc or "the default VPC", network.vpc or ""
    public = network.public or not settings.is_internal
    subnets, tasks = network.subnets or (), network.task_subnets
    return Network(name, settings.name, vpc, subnets, public, tasks, settings.is_fronted, network.public)


@dataclass(frozen=True)
class _Former:
    """The load balancer with the other names, and what belongs to it alone: the one before, while it still serves."""

    group: SecurityGroup
    load_balancer: LoadBalancer
    target_group: TargetGroup
    firewall: WebAclAssociation
    listeners: tuple[Listener, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All of it, each after its dependencies."""
        return (self.group, self.load_balancer, self.target_group, self.firewall, *self.listeners)


def _former(settings: Settings, network: Network) -> _Former:
    section = settings.load_balancer.swapped()
    before = settings.model_copy(update={"load_balancer": section})
    scheme = "internet-facing" if settings.is_internal else "internal"
    group, _ = _security_groups(before, network, None)
    group = replace(group, former=True, for_visitors=settings.is_internal)
    balancer, target_group = _load_balancing(before, network, group)
    balancer = replace(balancer, scheme=scheme, former=True)
    target_group = replace(target_group, former=True)
    firewall = WebAclAssociation(
        balancer.name, balancer.stack, balancer, settings.load_balancer.web_acl or "", former=True
    )
    listeners = tuple(
        Listener(
            f"{balancer.name}:{port}",
            balancer.stack,
            balancer,
            port,
            target_group,
            firewall=firewall,
            former=True,
        )
        for port in (HTTPS_PORT, HTTP_PORT)
    )
    return _Former(group, balancer, target_group, firewall, listeners)


def _distribution(
    settings: Settings,
    balancer: LoadBalancer,
    firewall: WebAclAssociation,
    former: _Former,
    account: str,
    partition: str,
) -> Distribution | None:
    """With its VPC origin, and also where the settings have none: one that is there goes, with the load balancer to
    which it leads.

    None in partitions whose CloudFront has no VPC origins; SettingsError where they would need it.
    """
    if partition != "aws":
        if settings.is_fronted:
            raise SettingsError([f"front.kind: CloudFront's VPC origins are not in {settings.region}"])
        return None
    name = f"{settings.name}-{settings.region}"
    if not settings.is_internal:
        origin = VpcOrigin(
            name, settings.name, former.load_balancer, fronted=False, also=balancer, former=True
        )
        visitors = _visitors_of(settings, origin)
        return Distribution(name, settings.name, origin, former.firewall, visitors, former=True)
    origin = VpcOrigin(name, settings.name, balancer, settings.is_fronted)
    web_acl = settings.front.web_acl or ""
    if web_acl and web_acl.split(":")[4] != account:
        owner = web_acl.split(":")[4]
        raise SettingsError([f"front.web_acl: is in account {owner}, and the distribution in {account}"])
    domains, arn = settings.domains if settings.is_fronted else (), settings.front.certificate or ""
    certificate = ViewerCertificate(domains[0], settings.name, domains) if domains and not arn else None
    visitors = _visitors_of(settings, origin)
    return Distribution(
        name, settings.name, origin, firewall, visitors, domains, arn, certificate, web_acl=web_acl
    )


def _visitors_of(settings: Settings, origin: VpcOrigin) -> WebAcl:
    """The web ACL of the stack, and its IP sets; without addresses they are not desired."""
    listed = (settings.load_balancer.allowed_cidrs or ()) if settings.is_fronted else ()
    stack, name = settings.name, web_acl_name(settings.name, settings.region)
    ip_sets = tuple(
        IpSet(
            f"{name}-{version.lower()}",
            stack,
            origin,
            version,
            tuple(each for each in listed if (":" in each) == (version == "IPV6")),
            former=origin.former,
        )
        for version in VERSIONS
    )
    return WebAcl(name, stack, origin, ip_sets, former=origin.former)


def _in_front(distribution: Distribution | None) -> tuple[Resource, ...]:
    """The distribution after what it needs."""
    if distribution is None:
        return ()
    certificate, visitors = distribution.viewer_certificate, distribution.visitors
    needed = (*([certificate] if certificate else []), *visitors.ip_sets, visitors)
    return (distribution.vpc_origin, *needed, distribution)


def _origin_access(
    group: SecurityGroup,
    facing: OriginFacing | None,
    distribution: Distribution | None,
    listeners: tuple[Listener, ...],
) -> tuple[OriginAccess, ...]:
    if facing is None or distribution is None:
        return ()
    return (OriginAccess(f"{group.name}:{HTTP_PORT}", group.stack, group, facing, distribution, listeners),)


def _task_definition(
    settings: Settings,
    account: str,
    partition: str,
    roles: tuple[Role, Role],
    log_group: LogGroup,
    repository: Repository,
) -> TaskDefinition:
    registry = registry_name(account, settings.region, partition)
    image = f"{registry}/{settings.repository}:{NO_RELEASE}"
    definition = json.dumps(templates.task_definition(settings, account, partition, image))
    return TaskDefinition(
        name=settings.task.family,
        stack=settings.name,
        execution_role=roles[0],
        task_role=roles[1],
        log_group=log_group,
        repository=repository,
        container=settings.container.name,
        definition=definition,
    )


def _security_groups(
    settings: Settings,
    network: Network,
    facing: OriginFacing | None,
    former: SecurityGroup | None = None,
) -> tuple[SecurityGroup, SecurityGroup]:
    ports = (HTTP_PORT, HTTPS_PORT) if settings.has_https_listener else (HTTP_PORT,)
    balancer = SecurityGroup(
        settings.load_balancer.security_group,
        settings.name,
        network,
        f"The load balancer of {settings.name}",
        ports,
        sources=_visitors(settings.load_balancer),
        front=facing,
        for_visitors=not settings.is_internal,
    )
    tasks = SecurityGroup(
        settings.tasks_security_group,
        settings.name,
        network,
        f"The tasks of {settings.name}",
        (settings.container.port,),
        balancer,
        former_source=former,
    )
    return balancer, tasks


def _visitors(load_balancer: LoadBalancerSettings) -> tuple[str, ...]:
    """The CIDR blocks that may reach the load balancer: those of the settings, or all addresses."""
    if load_balancer.allowed_cidrs is not None:
        return load_balancer.allowed_cidrs
    return (ANYWHERE, ANYWHERE_IPV6) if load_balancer.dual_stack else (ANYWHERE,)


def _load_balancing(
    settings: Settings, network: Network, group: SecurityGroup, predecessor: LoadBalancer | None = None
) -> tuple[LoadBalancer, TargetGroup]:
    section, health = settings.load_balancer, settings.health_check
    scheme = "internal" if settings.is_internal else "internet-facing"
    balancer = LoadBalancer(
        section.name,
        settings.name,
        network,
        group,
        scheme,
        section.idle_timeout,
        section.dual_stack,
        predecessor,
    )
    target_group = TargetGroup(
        name=section.target_group,
        stack=settings.name,
        network=network,
        port=settings.container.port,
        health_path=health.path,
        interval=health.interval,
        timeout=health.timeout,
        healthy_threshold=health.healthy_threshold,
        unhealthy_threshold=health.unhealthy_threshold,
        deregistration_delay=settings.deployment.deregistration_delay,
        stickiness=section.stickiness,
    )
    return balancer, target_group


def _firewall(section: LoadBalancerSettings, balancer: LoadBalancer, account: str) -> WebAclAssociation:
    """The web ACL's association; raises SettingsError for a web ACL of another account."""
    arn = section.web_acl or ""
    if arn and arn.split(":")[4] != account:
        owner = arn.split(":")[4]
        raise SettingsError(
            [f"load_balancer.web_acl: is in account {owner}, and the load balancer in {account}"]
        )
    return WebAclAssociation(balancer.name, balancer.stack, balancer, arn)


def _listeners(
    settings: Settings,
    balancer: LoadBalancer,
    group: TargetGroup,
    firewall: WebAclAssociation,
    where: tuple[str, str],
) -> tuple[Listener, ...]:
    stack, arn = settings.name, settings.load_balancer.certificate or ""
    own = settings.has_https_listener and not arn
    domains = Certificate(settings.domains[0], stack, settings.domains) if own else None
    port, plain_port = HTTPS_PORT, HTTP_PORT
    secure = Listener(
        f"{balancer.name}:{port}",
        stack,
        balancer,
        port,
        group,
        arn,
        domains,
        firewall=firewall,
        sign_in=_sign_in(settings, domains, *where),
    )
    plain = Listener(
        f"{balancer.name}:{plain_port}", stack, balancer, plain_port, group, secure=secure, firewall=firewall
    )
    return secure, plain


def _sign_in(
    settings: Settings, certificate: Certificate | None, account: str, partition: str
) -> SignIn | None:
    """The sign-in of the HTTPS listener, in AWS's words."""
    given = settings.sign_in
    if not given.is_on:
        return None
    shared = (
        ("Scope", given.scope),
        ("SessionTimeout", given.session_timeout),
        ("SessionCookieName", SESSION_COOKIE),
        ("OnUnauthenticatedRequest", "authenticate"),
    )
    if given.kind == "cognito":
        config = (
            ("UserPoolArn", templates.user_pool_arn(settings.sign_in, account, partition)),
            ("UserPoolClientId", given.client_id or ""),
            ("UserPoolDomain", given.user_pool_domain or ""),
        )
        domain = given.user_pool_domain or ""
        return SignIn(domain, settings.name, COGNITO, (*config, *shared), certificate=certificate)
    endpoints = (
        ("Issuer", given.issuer or ""),
        ("AuthorizationEndpoint", given.authorization_endpoint or ""),
        ("TokenEndpoint", given.token_endpoint or ""),
        ("UserInfoEndpoint", given.user_info_endpoint or ""),
        ("ClientId", given.client_id or ""),
    )
    secret, key = templates.secret_and_key(given.client_secret or "")
    host = urlsplit(given.authorization_endpoint or "").netloc
    return SignIn(host, settings.name, OIDC, (*endpoints, *shared), secret, key, certificate)


def _sign_ins(listeners: tuple[Listener, ...]) -> tuple[SignIn, ...]:
    return tuple(each.sign_in for each in listeners if each.sign_in)


def _certificates(listeners: tuple[Listener, ...]) -> tuple[Certificate, ...]:
    return tuple(each.domains for each in listeners if each.domains)
