"""The Application Load Balancer, its target group and its listeners."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..account import find_target_group
from ..aws import Aws
from ..errors import OutOfTimeError
from ..in_parallel import in_parallel
from . import sign_in as signing_in
from .certificates import ISSUED, Certificate
from .neighbours import Neighbours
from .network import Network, SecurityGroup, cidr_blocks
from .resource import (
    Attributes,
    Live,
    LiveResources,
    Presence,
    Resource,
    attached,
    attaching,
    tag_list,
    tags_of,
)
from .sign_in import SignIn

# The security policy that AWS recommends for TLS 1.2 and 1.3 (Elastic Load Balancing, "Security policies").
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
HTTP_PORT, HTTPS_PORT = 80, 443
_TO_HTTPS: Mapping[str, str] = {"Protocol": "HTTPS", "Port": str(HTTPS_PORT), "StatusCode": "HTTP_301"}
_GONE_WITHIN_SECONDS = 600.0
_PROTECTED = "deletion_protection.enabled"


@dataclass(frozen=True)
class LoadBalancer(Resource):
    """An Application Load Balancer; its live id is its ARN, ``raw`` is DescribeLoadBalancers' answer.

    ``raw["OtherGroups"]`` are its security groups besides ours.

    An adopted one keeps its subnets, and gets our security group besides its own. One that replaces another one,
    ``predecessor``, is created in the same subnets where these are suitable, so that tasks can be behind both.
    """

    kind: ClassVar[str] = "load-balancer"
    additions: ClassVar[frozenset[str]] = frozenset({"security-groups"})
    fixed: ClassVar[frozenset[str]] = frozenset({"scheme", "type", "vpc"})
    may_be_denied: ClassVar[bool] = True
    network: Network
    security_group: SecurityGroup
    scheme: str
    idle_timeout: int
    dual_stack: bool = False
    predecessor: LoadBalancer | None = None

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeLoadBalancers by name, its attributes and its tags."""
        balancer = find_balancer(aws, self.name, self.label)
        if balancer is None:
            return None
        arn = balancer["LoadBalancerArn"]
        settings, tags = in_parallel(
            lambda: aws.call("elbv2:DescribeLoadBalancerAttributes", self.label, LoadBalancerArn=arn),
            lambda: _tags(aws, self, arn),
        )
        names = {live.id: resource.name for resource, live in known.items()}
        groups = balancer.get("SecurityGroups", [])
        others = self._other_groups(aws, groups, known)
        attributes = {
            "type": balancer["Type"],
            "vpc": balancer["VpcId"],
            "scheme": balancer["Scheme"],
            "address-type": balancer.get("IpAddressType", "ipv4"),
            "subnets": tuple(sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"])),
            "security-groups": tuple(sorted(names.get(group, group) for group in groups)),
            **_attributes(settings, tuple(self._settings())),
        }
        return Live(arn, attributes, tags, {**balancer, "OtherGroups": others})

    def _other_groups(self, aws: Aws, groups: Sequence[str], known: LiveResources) -> list[dict[str, Any]]:
        """Its security groups besides ours, in the shape of DescribeSecurityGroups."""
        own = known.get(self.security_group)
        rest = [each for each in groups if own is None or each != own.id]
        filters = [{"Name": "group-id", "Values": rest}]
        operation, member = "ec2:DescribeSecurityGroups", "SecurityGroups"
        return aws.pages(operation, member, self.label, Filters=filters) if rest else []

    def cidr_blocks(self, known: LiveResources, port: int) -> tuple[str, ...]:
        """The CIDR blocks that its security groups, ours and others, let in at a TCP port."""
        found, own = known[self], known.get(self.security_group)
        named = found.attributes["security-groups"]
        listed = (
            self.security_group.cidr_blocks(own, port) if own and self.security_group.name in named else ()
        )
        others = (
            block
            for each in found.raw.get("OtherGroups", ())
            if each["GroupId"] in named or each["GroupName"] in named
            for block in cidr_blocks(each["IpPermissions"], port)
        )
        return (*listed, *others)

    def desired(self, known: LiveResources) -> Attributes:
        """Scheme, subnets, security group and idle timeout; invalid header fields are dropped."""
        return {
            "type": "application",
            "vpc": known[self.network].id if self.network in known else None,
            "scheme": self.scheme,
            "address-type": self._address_type,
            "subnets": self.subnets(known),
            "security-groups": (self.security_group.name,),
            **self._settings(),
        }

    def subnets(self, known: LiveResources) -> tuple[str, ...]:
        """The desired subnets, also used for the tasks: targets in other zones get no requests."""
        found = known.get(self)
        present = found.attributes.get("subnets", ()) if found else ()
        if found is not None and present and self.is_shared(found):
            return tuple(sorted(present))
        return self.network.settled(known, present or self._former_subnets(known))

    def common_subnets(self, known: LiveResources) -> tuple[str, ...]:
        """The desired subnets that the predecessor is in too: from there, tasks are reached by both."""
        subnets, former = self.subnets(known), self._former_subnets(known)
        return tuple(each for each in subnets if each in former) or subnets

    def _former_subnets(self, known: LiveResources) -> tuple[str, ...]:
        found = known.get(self.predecessor) if self.predecessor else None
        return tuple(found.attributes["subnets"]) if found else ()

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """Its own security groups, and ours."""
        groups = {*live.attributes["security-groups"], self.security_group.name}
        return {"security-groups": tuple(sorted(groups))}

    def dependencies_when_released(self, live: Live, known: LiveResources) -> tuple[Resource, ...]:
        """Its dependencies, without our security group where that was added to others."""
        taken = self._without_added(live) is not None
        return tuple(each for each in self.dependencies if each is not self.security_group or not taken)

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:
        """Remove the added security groups."""
        groups = self._without_added(live)
        if groups is not None:
            aws.call("elbv2:SetSecurityGroups", self.label, LoadBalancerArn=live.id, SecurityGroups=groups)
            self.untag(aws, live, tuple(attached(live)))

    def _without_added(self, live: Live) -> list[str] | None:
        """Its security groups without the added ones; None where none was added, or none would be left."""
        now = live.raw.get("SecurityGroups", [])
        kept = [each for each in now if each not in attached(live).values()]
        return kept if kept and kept != now else None

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Listeners other than the stack's, and the protection that AWS would refuse the deletion for."""
        ours = {
            found.id
            for each, found in known.items()
            if isinstance(each, Listener) and not each.is_shared(found)
        }
        aws = neighbours.aws
        listeners = _listeners(aws, self.label, live.id)
        told = [_listener_words(each) for each in listeners if each["ListenerArn"] not in ours]
        settings = aws.call("elbv2:DescribeLoadBalancerAttributes", self.label, LoadBalancerArn=live.id)
        if _attributes(settings, (_PROTECTED,))[_PROTECTED] == "true":
            told.append(f"whoever has set its attribute {_PROTECTED}")
        return tuple(told)

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """That one which another one replaces goes on serving."""
        if not self.former or not self.is_ours(live):
            return ()
        return ("serves until inv remove-old-load-balancer",)

    def instead(self, live: Live) -> str:
        """A scheme is for good; only a load balancer that the stack has created is replaced by another one."""
        if live.attributes.get("scheme") == self.scheme:
            return super().instead(live)
        return (
            "set front.kind and load_balancer.internal as they were, or give load_balancer.name, target_group and "
            "security_group other names: the service then moves to another load balancer at once"
        )

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateLoadBalancer, then its attributes; a listener can be created before it is active."""
        made = aws.call(
            "elbv2:CreateLoadBalancer",
            self.label,
            Name=self.name,
            Type="application",
            Scheme=self.scheme,
            IpAddressType=self._address_type,
            Subnets=list(self.subnets(known)),
            SecurityGroups=[known[self.security_group].id],
            Tags=tag_list(self.tags),
        )["LoadBalancers"][0]
        live = Live(made["LoadBalancerArn"], {}, self.tags, made)
        return self.update(aws, live, frozenset(self._settings()), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """SetSubnets, SetIpAddressType, SetSecurityGroups, ModifyLoadBalancerAttributes."""
        if "subnets" in changed:
            subnets = list(self.subnets(known))
            aws.call("elbv2:SetSubnets", self.label, LoadBalancerArn=live.id, Subnets=subnets)
        if "address-type" in changed:
            kind = self._address_type
            aws.call("elbv2:SetIpAddressType", self.label, LoadBalancerArn=live.id, IpAddressType=kind)
        if "security-groups" in changed:
            kept = live.raw.get("SecurityGroups", []) if live.adopted else []
            ours = known[self.security_group].id
            if told := attaching(live, [ours]):
                self.tag(aws, live, told)
            groups = [*kept, ours]
            aws.call("elbv2:SetSecurityGroups", self.label, LoadBalancerArn=live.id, SecurityGroups=groups)
        if settings := {key: value for key, value in self._settings().items() if key in changed}:
            aws.call(
                "elbv2:ModifyLoadBalancerAttributes",
                self.label,
                LoadBalancerArn=live.id,
                Attributes=tag_list(settings),
            )
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteLoadBalancer, and wait until it is no longer described."""
        aws.call("elbv2:DeleteLoadBalancer", self.label, LoadBalancerArn=live.id)
        if not aws.clock.poll(lambda: not self._is_there(aws, live), _GONE_WITHIN_SECONDS, 2):
            raise OutOfTimeError(
                f"{self.label} still exists after {_GONE_WITHIN_SECONDS:.0f} s.",
                next_step="run the same command again",
            )

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """AddTags."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """RemoveTags."""
        _untag(aws, self, live, names)

    @property
    def _address_type(self) -> str:
        return "dualstack" if self.dual_stack else "ipv4"

    def _is_there(self, aws: Aws, live: Live) -> bool:
        asked = {"LoadBalancerArns": [live.id]}
        found = aws.find("elbv2:DescribeLoadBalancers", ("LoadBalancerNotFound",), self.label, **asked)
        return bool(found and found["LoadBalancers"])

    def _settings(self) -> dict[str, str]:
        return {
            "idle_timeout.timeout_seconds": str(self.idle_timeout),
            "routing.http.drop_invalid_header_fields.enabled": "true",
        }


@dataclass(frozen=True)
class TargetGroup(Resource):
    """A target group of IP addresses (``ip``) with HTTP; times in seconds."""

    kind: ClassVar[str] = "target-group"
    fixed: ClassVar[frozenset[str]] = frozenset(
        {"port", "protocol", "protocol-version", "target-type", "vpc"}
    )
    network: Network
    port: int
    health_path: str
    interval: int
    timeout: int
    healthy_threshold: int
    unhealthy_threshold: int
    deregistration_delay: int
    stickiness: bool

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeTargetGroups by name, its attributes and its tags."""
        group = find_target_group(aws, self.label, name=self.name)
        if group is None:
            return None
        arn = group["TargetGroupArn"]
        settings, tags = in_parallel(
            lambda: aws.call("elbv2:DescribeTargetGroupAttributes", self.label, TargetGroupArn=arn),
            lambda: _tags(aws, self, arn),
        )
        attributes = {
            "port": group.get("Port"),
            "protocol": group.get("Protocol"),
            "protocol-version": group.get("ProtocolVersion", "HTTP1"),
            "target-type": group.get("TargetType"),
            "vpc": group.get("VpcId"),
            **{attribute: group.get(member) for attribute, (member, _) in self._health().items()},
            "matcher": group.get("Matcher", {}).get("HttpCode"),
            **_attributes(settings, tuple(self._settings())),
        }
        return Live(arn, attributes, tags, group)

    def desired(self, known: LiveResources) -> Attributes:
        """All properties, without the registered targets."""
        return {
            "port": self.port,
            "protocol": "HTTP",
            "protocol-version": "HTTP1",  # required for a WebSocket upgrade
            "target-type": "ip",
            "vpc": known[self.network].id if self.network in known else None,
            **{attribute: value for attribute, (_, value) in self._health().items()},
            "matcher": "200",
            **self._settings(),
        }

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateTargetGroup, then its attributes."""
        made = aws.call(
            "elbv2:CreateTargetGroup",
            self.label,
            Name=self.name,
            Protocol="HTTP",
            ProtocolVersion="HTTP1",
            Port=self.port,
            VpcId=known[self.network].id,
            TargetType="ip",
            Tags=tag_list(self.tags),
            **self._health_parameters(),
        )["TargetGroups"][0]
        live = Live(made["TargetGroupArn"], {}, self.tags, made)
        return self.update(aws, live, frozenset(self._settings()), known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """ModifyTargetGroup for the health check, ModifyTargetGroupAttributes for the rest."""
        if changed & {*self._health(), "matcher"}:
            aws.call(
                "elbv2:ModifyTargetGroup", self.label, TargetGroupArn=live.id, **self._health_parameters()
            )
        if settings := {key: value for key, value in self._settings().items() if key in changed}:
            aws.call(
                "elbv2:ModifyTargetGroupAttributes",
                self.label,
                TargetGroupArn=live.id,
                Attributes=tag_list(settings),
            )
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteTargetGroup; a deleted listener may still use it for a moment."""

        def delete() -> None:
            aws.call("elbv2:DeleteTargetGroup", self.label, TargetGroupArn=live.id)

        aws.retry_while(delete, {"ResourceInUse": ()}, within=60)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """AddTags."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """RemoveTags."""
        _untag(aws, self, live, names)

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other load balancers, and other listeners and rules, that forward to it; services that register with it."""
        aws, ours = neighbours.aws, {found.id for found in known.values()}
        told = [*neighbours.with_target_group(live.id)]
        for arn in live.raw.get("LoadBalancerArns", []):
            if arn not in ours:
                told.append(f"load balancer {arn.split('/')[-2]}")
                continue
            for listener in _listeners(aws, self.label, arn):
                told += self._forwarding(aws, listener, live.id, ours)
        return tuple(told)

    def _forwarding(
        self, aws: Aws, listener: Mapping[str, Any], arn: str, ours: Collection[str]
    ) -> list[str]:
        rules = _rules(aws, self.label, listener["ListenerArn"])
        told = [_rule_words(listener, each) for each in rules if arn in _forwarded(each.get("Actions", []))]
        theirs = listener["ListenerArn"] not in ours
        if theirs and arn in _forwarded(listener.get("DefaultActions", [])):
            told.append(_listener_words(listener))
        return told

    def _health(self) -> dict[str, tuple[str, Any]]:
        return {
            "health-check-protocol": ("HealthCheckProtocol", "HTTP"),
            "health-check-port": ("HealthCheckPort", "traffic-port"),
            "health-check-path": ("HealthCheckPath", self.health_path),
            "health-check-interval": ("HealthCheckIntervalSeconds", self.interval),
            "health-check-timeout": ("HealthCheckTimeoutSeconds", self.timeout),
            "healthy-threshold": ("HealthyThresholdCount", self.healthy_threshold),
            "unhealthy-threshold": ("UnhealthyThresholdCount", self.unhealthy_threshold),
        }

    def _health_parameters(self) -> dict[str, Any]:
        return {**dict(self._health().values()), "Matcher": {"HttpCode": "200"}}

    def _settings(self) -> dict[str, str]:
        settings = {
            "deregistration_delay.timeout_seconds": str(self.deregistration_delay),
            "stickiness.enabled": "true" if self.stickiness else "false",
        }
        return settings | ({"stickiness.type": "lb_cookie"} if self.stickiness else {})


@dataclass(frozen=True)
class Listener(Resource):
    """A listener on ``port``: it forwards to the target group, or redirects to the listener ``secure`` where that
    exists.

    The listener on port 443 uses HTTPS, with ``certificate`` (an ACM ARN) or else the issued certificate of
    ``domains``; with neither it is not desired. Where it has a ``sign_in``, visitors sign in before it forwards them.
    It depends on ``firewall``, so that visitors never bypass it.
    """

    kind: ClassVar[str] = "listener"
    decisive: ClassVar[frozenset[str]] = (
        frozenset({"protocol", "action", "certificate"}) | signing_in.DECISIVE
    )
    load_balancer: LoadBalancer
    port: int
    target_group: TargetGroup
    certificate: str = ""
    domains: Certificate | None = None
    secure: Listener | None = None
    firewall: Resource | None = None
    sign_in: SignIn | None = None

    @property
    def protocol(self) -> str:
        """HTTP or HTTPS."""
        return "HTTPS" if self.port == HTTPS_PORT else "HTTP"

    def presence(self, known: Mapping[Resource, Live | None]) -> Presence:
        """Desired for HTTP, and for HTTPS with a certificate; while ``domains`` has none issued, it stays as it
        is."""
        if self.protocol == "HTTP" or self._certificate(known):
            return "present"
        return "as-found" if self.domains else "absent"

    def redirects(self, known: Mapping[Resource, Live | None]) -> bool:
        """Whether it redirects to HTTPS; where visitors sign in, nobody passes without HTTPS."""
        if self.secure is None:
            return False
        if self.secure.sign_in:
            return True
        presence = self.secure.presence(known)
        return presence == "present" or (presence == "as-found" and known.get(self.secure) is not None)

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeListeners of the load balancer; None without a load balancer."""
        balancer = known.get(self.load_balancer)
        if balancer is None:
            return None
        listeners = aws.pages("elbv2:DescribeListeners", "Listeners", self.label, LoadBalancerArn=balancer.id)
        found = next((each for each in listeners if each["Port"] == self.port), None)
        if found is None:
            return None
        names = {live.id: resource.name for resource, live in known.items()}
        certificates = [each["CertificateArn"] for each in found.get("Certificates", [])]
        attributes = {
            "protocol": found["Protocol"],
            "action": _action_words(found["DefaultActions"], names),
            "certificate": certificates[0] if certificates else "",
            "TLS-policy": found.get("SslPolicy", ""),
        }
        arn = found["ListenerArn"]
        tags = _tags(aws, self, arn)
        if self.protocol == "HTTPS":
            attributes |= signing_in.attributes_of(found["DefaultActions"], tags)
        return Live(arn, attributes, tags, found)

    def desired(self, known: LiveResources) -> Attributes:
        """Protocol, action, certificate, TLS policy, and for HTTPS the sign-in."""
        if self.presence(known) != "present":
            return {}
        asks = self.sign_in.attributes(known) if self.sign_in else {"sign-in": signing_in.NONE}
        return {
            **(asks if self.protocol == "HTTPS" else {}),
            "protocol": self.protocol,
            "action": _redirect_words(_TO_HTTPS)
            if self.redirects(known)
            else _forward_words([self.target_group.name]),
            "certificate": self._certificate(known),
            "TLS-policy": TLS_POLICY if self.protocol == "HTTPS" else "",
        }

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateListener."""
        parameters, told = self._parameters(aws, known)
        tags = {**self.tags, **told}
        made = aws.call(
            "elbv2:CreateListener",
            self.label,
            LoadBalancerArn=known[self.load_balancer].id,
            Tags=tag_list(tags),
            **parameters,
        )["Listeners"][0]
        return Live(made["ListenerArn"], {}, tags, made)

    def leads_to_app(self, live: Live) -> bool:
        """Whether it does not redirect to the HTTPS listener."""
        return bool(live.attributes["action"] != _redirect_words(_TO_HTTPS))

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """ModifyListener with all parameters; afterwards a tag tells the version of the client secret."""
        parameters, told = self._parameters(aws, known)
        aws.call("elbv2:ModifyListener", self.label, ListenerArn=live.id, **parameters)
        if told.items() - live.tags.items():
            self.tag(aws, live, told)
        if not told and signing_in.SECRET_TAG in live.tags:
            self.untag(aws, live, (signing_in.SECRET_TAG,))
        return live

    def dependencies_when_released(self, live: Live, known: LiveResources) -> tuple[Resource, ...]:
        """Its dependencies without the added firewall."""
        return tuple(each for each in self.dependencies if each is not self.firewall)

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Rules and additional certificates, which the stack never creates."""
        aws = neighbours.aws
        told = [_rule_words(live.raw, each) for each in _rules(aws, self.label, live.id)]
        if self.protocol == "HTTPS":
            operation = "elbv2:DescribeListenerCertificates"
            listed = aws.pages(operation, "Certificates", self.label, ListenerArn=live.id)
            default = {each["CertificateArn"] for each in listed if each.get("IsDefault")}
            more = {each["CertificateArn"] for each in listed} - default
            told += [f"certificate {arn.rpartition('/')[2]}" for arn in sorted(more)]
        return tuple(told)

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteListener."""
        aws.find("elbv2:DeleteListener", ("ListenerNotFound",), self.label, ListenerArn=live.id)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """AddTags."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """RemoveTags."""
        _untag(aws, self, live, names)

    def _certificate(self, known: Mapping[Resource, Live | None]) -> str:
        """The ARN of the certificate; empty without one, or before it is issued."""
        if self.certificate or self.domains is None:
            return self.certificate
        found = known.get(self.domains)
        return found.id if found and found.attributes["status"] == ISSUED else ""

    def _parameters(self, aws: Aws, known: LiveResources) -> tuple[dict[str, Any], dict[str, str]]:
        """The parameters of a call, and the tags that tell what AWS does not show of them."""
        actions, told = [self._action(known)], dict[str, str]()
        if self.sign_in:
            authenticate, told = self.sign_in.authenticate(aws)
            actions = [authenticate, {**actions[0], "Order": 2}]
        parameters: dict[str, Any] = {
            "Port": self.port,
            "Protocol": self.protocol,
            "DefaultActions": actions,
        }
        if self.protocol == "HTTPS":
            certificates = [{"CertificateArn": self._certificate(known)}]
            parameters |= {"Certificates": certificates, "SslPolicy": TLS_POLICY}
        return parameters, told

    def _action(self, known: LiveResources) -> dict[str, Any]:
        if not self.redirects(known):
            return {"Type": "forward", "TargetGroupArn": known[self.target_group].id}
        return {"Type": "redirect", "RedirectConfig": {**_TO_HTTPS}}


def find_balancer(aws: Aws, name: str, about: str = "") -> dict[str, Any] | None:
    """A load balancer by name, in the shape of DescribeLoadBalancers; None where it does not exist."""
    found = aws.find("elbv2:DescribeLoadBalancers", ("LoadBalancerNotFound",), about or name, Names=[name])
    return next(iter(found["LoadBalancers"]), None) if found else None


def _listeners(aws: Aws, label: str, balancer: str) -> list[dict[str, Any]]:
    return aws.pages("elbv2:DescribeListeners", "Listeners", label, LoadBalancerArn=balancer)


def _rules(aws: Aws, label: str, listener: str) -> list[dict[str, Any]]:
    """A listener's rules without the default one."""
    rules: list[dict[str, Any]] = aws.pages("elbv2:DescribeRules", "Rules", label, ListenerArn=listener)
    return [each for each in rules if not each["IsDefault"]]


def _listener_words(listener: Mapping[str, Any]) -> str:
    return f"listener {listener['Protocol']}:{listener['Port']}"


def _rule_words(listener: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    return f"rule {rule['Priority']} of {_listener_words(listener)}"


def _forwarded(actions: list[Mapping[str, Any]]) -> set[str]:
    """The target groups to which the actions forward."""
    groups = [group for each in actions for group in each.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {each["TargetGroupArn"] for each in (*actions, *groups) if "TargetGroupArn" in each}


def _action_words(actions: list[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    action = actions[-1]
    if action["Type"] == "redirect":
        return _redirect_words(action["RedirectConfig"])
    if action["Type"] == "forward":
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        arns = [group["TargetGroupArn"] for group in groups]
        return _forward_words([names.get(arn, arn) for arn in arns])
    return str(action["Type"])


def _redirect_words(config: Mapping[str, str]) -> str:
    return f"redirect to {config.get('Protocol')}:{config.get('Port')}, {config['StatusCode']}"


def _forward_words(groups: Sequence[str]) -> str:
    return f"forward to {', '.join(groups)}"


def _attributes(answer: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    found = {each["Key"]: each.get("Value", "") for each in answer["Attributes"]}
    return {key: found.get(key, "") for key in keys}


def _tags(aws: Aws, resource: Resource, arn: str) -> dict[str, str]:
    answer = aws.call("elbv2:DescribeTags", resource.label, ResourceArns=[arn])
    return tags_of([tag for each in answer["TagDescriptions"] for tag in each["Tags"]])


def _tag(aws: Aws, resource: Resource, live: Live, tags: Mapping[str, str]) -> None:
    aws.call("elbv2:AddTags", resource.label, ResourceArns=[live.id], Tags=tag_list(tags))


def _untag(aws: Aws, resource: Resource, live: Live, names: tuple[str, ...]) -> None:
    aws.call("elbv2:RemoveTags", resource.label, ResourceArns=[live.id], TagKeys=list(names))
