"""A load balancer, its target group and its security groups, made through the API, with real sites behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tests.embedded.sites import Site
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

PORT = 8501


@dataclass
class Balanced:
    """Makes everything on creation; ``add`` starts a site and registers it; ``close`` stops the sites."""

    aws: EmbeddedProcess
    sites: list[Site] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.elb, self.ec2 = self.aws.client("elbv2"), self.aws.client("ec2")
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.subnets = [one["SubnetId"] for one in self.ec2.describe_subnets()["Subnets"]][:2]
        self.outer = self.make_group("outer")
        self.inner = self.make_group("inner")
        self.allow(self.outer, 80, CidrIp="0.0.0.0/0")
        self.allow(self.outer, 443, CidrIp="0.0.0.0/0")
        self.allow_from(self.inner, self.outer, PORT)
        self.balancer = self.make_balancer("lb")
        self.target_group = self.make_target_group("tg")
        self.listener = self.listen(80, self.forward(self.target_group))

    @property
    def arn(self) -> str:
        """The load balancer's."""
        return str(self.balancer["LoadBalancerArn"])

    @property
    def host(self) -> str:
        """The load balancer's DNS name."""
        return str(self.balancer["DNSName"])

    @property
    def url(self) -> str:
        """Where the load balancer answers."""
        return f"http://{self.host}"

    def close(self) -> None:
        """Stop every site."""
        for site in self.sites:
            site.stop()

    def make_group(self, name: str) -> str:
        """A security group without rules."""
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(made["GroupId"])

    def allow(self, group: str, port: int, **source: Any) -> None:
        """Let TCP to a port in, from an address range."""
        self.ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=port, ToPort=port, **source
        )

    def allow_from(self, group: str, source: str, port: int) -> None:
        """Let TCP to a port in, from another security group."""
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission(source, port))

    def make_balancer(self, name: str) -> Any:
        """A load balancer in two zones."""
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets, SecurityGroups=[self.outer])
        return made["LoadBalancers"][0]

    def make_target_group(self, name: str, **more: Any) -> str:
        """A target group that checks /health every 5 s; unhealthy after 2 failures, and healthy after 2."""
        settings: dict[str, Any] = {
            "Protocol": "HTTP",
            "Port": PORT,
            "VpcId": self.vpc,
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
        }
        made = self.elb.create_target_group(Name=name, **(settings | more))
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def forward(self, *groups: str, weights: tuple[int, ...] = (), **config: Any) -> dict[str, Any]:
        """A forward action."""
        weighted = zip(groups, weights or (1,) * len(groups), strict=True)
        targets = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weighted]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": targets, **config}}

    def listen(self, port: int, action: dict[str, Any], protocol: str = "HTTP", **more: Any) -> str:
        """A listener; its ARN."""
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn, Protocol=protocol, Port=port, DefaultActions=[action], **more
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def make_address(self, group: str | None = None, subnet: int = 0) -> str:
        """An address in the VPC, with a network interface."""
        made = self.ec2.create_network_interface(SubnetId=self.subnets[subnet], Groups=[group or self.inner])
        return str(made["NetworkInterface"]["PrivateIpAddress"])

    def loopback(self, ip: str) -> str:
        """The loopback address that stands for an address of the VPC."""
        asked = {"vpc": self.vpc, "ip": ip}
        answer = control.post(f"{self.aws.url}/_embedded/address", json=asked, timeout=PATIENCE)
        return str(answer.json()["address"])

    def start(self, name: str, ip: str | None = None, port: int = PORT) -> Site:
        """A running site on a new address, not registered."""
        ip = ip or self.make_address()
        site = Site(name, self.loopback(ip), port)
        self.sites.append(site)
        self.addresses[name] = ip
        return site

    def add(self, name: str, target_group: str | None = None, healthy: bool = True) -> Site:
        """A running site, registered, and healthy when this returns unless told otherwise."""
        site = self.start(name)
        self.register(self.addresses[name], target_group)
        if healthy:
            self.await_state(self.addresses[name], "healthy", target_group)
            self.await_active()
        return site

    def register(self, ip: str, target_group: str | None = None, **more: Any) -> None:
        """RegisterTargets."""
        arn = target_group or self.target_group
        self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": ip, **more}])

    def deregister(self, ip: str, target_group: str | None = None) -> None:
        """DeregisterTargets."""
        arn = target_group or self.target_group
        self.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": ip}])

    def health(self, ip: str, target_group: str | None = None) -> Any:
        """The TargetHealth of a registered target, or None."""
        arn = target_group or self.target_group
        found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return next((one["TargetHealth"] for one in found if one["Target"]["Id"] == ip), None)

    def await_state(self, ip: str, state: str | None, target_group: str | None = None) -> Any:
        """Wait until a target is in a state (None: gone); its TargetHealth."""

        def look() -> Any:
            health = self.health(ip, target_group)
            found = health["State"] if health else None
            return (health or True) if found == state else None

        return eventually(look)

    def await_active(self) -> None:
        """Wait until the load balancer is provisioned and takes connections."""
        eventually(lambda: answers(f"{self.url}/health"))

    def set_group(self, target_group: str | None = None, **attributes: object) -> None:
        """ModifyTargetGroupAttributes, with ``__`` for the dots of a key."""
        self.elb.modify_target_group_attributes(
            TargetGroupArn=target_group or self.target_group, Attributes=_pairs(attributes)
        )

    def set_balancer(self, **attributes: object) -> None:
        """ModifyLoadBalancerAttributes, with ``__`` for the dots of a key."""
        self.elb.modify_load_balancer_attributes(LoadBalancerArn=self.arn, Attributes=_pairs(attributes))


def permission(source: str, port: int) -> list[dict[str, Any]]:
    """IpPermissions that let TCP to a port in from a security group."""
    pairs = [{"GroupId": source}]
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}]


def answers(url: str) -> bool:
    """Whether anything answers HTTP there."""
    try:
        requests.get(url, timeout=(5, PATIENCE), allow_redirects=False)  # a closed port may be silent
    except requests.ConnectionError:
        return False
    return True


def _pairs(attributes: dict[str, object]) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", "."), "Value": str(value)} for key, value in attributes.items()]
