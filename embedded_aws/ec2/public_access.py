"""VPC Block Public Access: which traffic internet gateways allow, per region, VPC and subnet.

Sources: VPC User Guide, "VPC Block Public Access basics" ("Bidirectional: Blocks all traffic to and from
internet gateways and egress-only internet gateways in this Region (except for excluded VPCs and subnets)";
"Ingress-only: Blocks all internet traffic to the VPCs in this Region (except …). Only traffic to and from NAT
gateways and egress-only internet gateways is allowed because these gateways only allow outbound connections to
be established"); EC2 API Reference. Whether ``BlockPublicAccessStates`` considers exclusions is not verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..moto.adapter import AwsError, random_hex

OFF, INGRESS, BOTH = "off", "block-ingress", "block-bidirectional"
MODES = (OFF, BOTH, INGRESS)
EXCLUSIONS = ("allow-bidirectional", "allow-egress")
AT_MOST = 50


@dataclass
class Exclusion:
    """An exclusion of a VPC or a subnet."""

    resource: str
    mode: str
    arn: str
    id: str = field(default_factory=lambda: f"vpcbpa-exclude-{random_hex(17)}")
    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    def answer(self, state: str = "create-complete") -> dict[str, Any]:
        """The exclusion in EC2's shape."""
        return {
            "ExclusionId": self.id,
            "InternetGatewayExclusionMode": self.mode,
            "ResourceArn": self.arn,
            "State": state,
            "CreationTimestamp": self.made,
            "LastUpdateTimestamp": self.made,
            "Tags": [],
        }


@dataclass
class PublicAccess:
    """An account's settings and exclusions in one region."""

    mode: str = OFF
    changed: datetime | None = None
    exclusions: dict[str, Exclusion] = field(default_factory=dict)

    def options(self, account: str, region: str) -> dict[str, Any]:
        """DescribeVpcBlockPublicAccessOptions."""
        return {
            "AwsAccountId": account,
            "AwsRegion": region,
            "State": "update-complete" if self.changed else "default-state",
            "InternetGatewayBlockMode": self.mode,
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
            **({"LastUpdateTimestamp": self.changed} if self.changed else {}),
        }

    def block(self, mode: str) -> None:
        """ModifyVpcBlockPublicAccessOptions; takes effect at once, after minutes on AWS."""
        if mode not in MODES:
            message = f"Value ({mode}) for parameter InternetGatewayBlockMode is invalid."
            raise AwsError("InvalidParameterValue", message)
        self.mode, self.changed = mode, datetime.now(UTC)

    def exclude(self, resource: str, mode: str, arn: str) -> Exclusion:
        """CreateVpcBlockPublicAccessExclusion, of which an account may have 50."""
        if mode not in EXCLUSIONS:
            message = f"Value ({mode}) for parameter InternetGatewayExclusionMode is invalid."
            raise AwsError("InvalidParameterValue", message)
        if len(self.exclusions) >= AT_MOST:
            raise AwsError(
                "VpcBlockPublicAccessExclusionLimitExceeded", "The maximum number has been reached."
            )
        made = Exclusion(resource, mode, arn)
        self.exclusions[made.id] = made
        return made

    def include(self, exclusion: str) -> Exclusion:
        """DeleteVpcBlockPublicAccessExclusion."""
        if exclusion not in self.exclusions:
            message = f"The exclusion ID '{exclusion}' does not exist"
            raise AwsError("InvalidVpcBlockPublicAccessExclusionId.NotFound", message)
        return self.exclusions.pop(exclusion)

    def of(self, vpc: str, subnet: str) -> str:
        """What is blocked for a subnet; an exclusion of its VPC applies to it."""
        modes = {each.mode for each in self.exclusions.values() if each.resource in (vpc, subnet)}
        if "allow-bidirectional" in modes:
            return OFF
        return INGRESS if "allow-egress" in modes and self.mode == BOTH else self.mode
