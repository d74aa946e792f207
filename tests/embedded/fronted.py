"""An internal load balancer with a CloudFront distribution before it, made through the API."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.embedded.balanced import PORT, Balanced
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"
SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"


class Fronted(Balanced):
    """``balancer`` is internal, and lets nobody in; everything of CloudFront is made when asked for."""

    def __init__(self, aws: EmbeddedProcess) -> None:
        super().__init__(aws)
        self.cloudfront = aws.client("cloudfront")

    def prepare(self) -> None:
        """Make a site and a distribution before it, ``id`` and ``name``, and wait until that answers.

        ``authority`` is what its viewers have to trust, as PEM.
        """
        self.site = self.add("app")
        self.let_cloudfront_in()
        self.vpc_origin = self.make_origin()
        found = self.create(self.config(self.vpc_origin))
        self.id, self.name = found["Id"], found["DomainName"]
        self.authority = str(
            control.get(f"{self.aws.url}/_embedded/authority", timeout=PATIENCE).json()["pem"]
        )
        self.await_deployed(self.id)

    def make_balancer(self, name: str) -> Any:
        """An internal load balancer in two zones, in a group without rules."""
        self.guarded = self.make_group("guarded")
        self.allow_from(self.inner, self.guarded, PORT)
        return self._make_internal(name)

    def make_other_balancer(self, name: str) -> str:
        """Another one in the same group; its ARN."""
        return str(self._make_internal(name)["LoadBalancerArn"])

    def _make_internal(self, name: str) -> Any:
        made = self.elb.create_load_balancer(
            Name=name, Subnets=self.subnets, SecurityGroups=[self.guarded], Scheme="internal"
        )
        return made["LoadBalancers"][0]

    def await_active(self) -> None:
        """Wait until the load balancer is provisioned."""

        self.await_provisioned(self.arn)

    def await_provisioned(self, arn: str) -> None:
        """Wait until a load balancer is active."""

        def state() -> str:
            found = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
            return str(found["State"]["Code"])

        eventually(lambda: state() == "active")

    def let_cloudfront_in(self, port: int = 80) -> None:
        """Let the addresses of CloudFront reach the load balancer."""
        listed = [{"PrefixListId": self.prefix_list()}]
        rule = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "PrefixListIds": listed}]
        self.ec2.authorize_security_group_ingress(GroupId=self.guarded, IpPermissions=rule)

    def prefix_list(self) -> str:
        """The id of the list of CloudFront's addresses."""
        asked = [{"Name": "prefix-list-name", "Values": [PREFIX_LIST]}]
        return str(self.ec2.describe_managed_prefix_lists(Filters=asked)["PrefixLists"][0]["PrefixListId"])

    def service_group(self) -> str | None:
        """The id of CloudFront's security group in the VPC; None where there is none."""
        asked = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "group-name", "Values": [SERVICE_GROUP]},
        ]
        found = self.ec2.describe_security_groups(Filters=asked)["SecurityGroups"]
        return str(found[0]["GroupId"]) if found else None

    def endpoint(self, name: str = "origin", policy: str = "http-only", **more: Any) -> dict[str, Any]:
        """A VpcOriginEndpointConfig for the load balancer."""
        ports = {"HTTPPort": 80, "HTTPSPort": 443}
        return {"Name": name, "Arn": self.arn, **ports, "OriginProtocolPolicy": policy, **more}

    def make_origin(self, name: str = "origin", **more: Any) -> str:
        """A deployed VPC origin; its id."""
        config = self.endpoint(name, **more)
        made = self.cloudfront.create_vpc_origin(VpcOriginEndpointConfig=config)["VpcOrigin"]
        self.await_origin(made["Id"])
        return str(made["Id"])

    def origin(self, id: str) -> Any:
        """A VPC origin, with its ETag."""
        found = self.cloudfront.get_vpc_origin(Id=id)
        return {**found["VpcOrigin"], "ETag": found["ETag"]}

    def await_origin(self, id: str) -> None:
        """Wait until a VPC origin is Deployed."""
        eventually(lambda: self.origin(id)["Status"] == "Deployed")

    def config(self, origin: str, reference: str = "stack", **more: Any) -> dict[str, Any]:
        """A DistributionConfig that leads to a VPC origin; members of ``more`` replace."""
        one = {"Id": "app", "DomainName": self.host, "VpcOriginConfig": {"VpcOriginId": origin}}
        behavior = {
            "TargetOriginId": "app",
            "ViewerProtocolPolicy": "redirect-to-https",
            "Compress": True,
            "CachePolicyId": CACHING_DISABLED,
            "OriginRequestPolicyId": ALL_VIEWER,
            "AllowedMethods": {
                "Quantity": 7,
                "Items": METHODS,
                "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
            },
        }
        made = {
            "CallerReference": reference,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [one]},
            "DefaultCacheBehavior": behavior,
        }
        return {**made, **more}

    def create(self, config: dict[str, Any], **tags: str) -> Any:
        """CreateDistributionWithTags; the Distribution with its ETag."""
        items = [{"Key": key, "Value": value} for key, value in tags.items()]
        asked = {"DistributionConfig": config, "Tags": {"Items": items}}
        made = self.cloudfront.create_distribution_with_tags(DistributionConfigWithTags=asked)
        return {**made["Distribution"], "ETag": made["ETag"]}

    def distribution(self, id: str) -> Any:
        """A distribution, with its ETag."""
        found = self.cloudfront.get_distribution(Id=id)
        return {**found["Distribution"], "ETag": found["ETag"]}

    def await_deployed(self, id: str) -> None:
        """Wait until a distribution is Deployed."""
        eventually(lambda: self.distribution(id)["Status"] == "Deployed")

    def update(self, id: str, **members: Any) -> Any:
        """UpdateDistribution with some members changed, of the version that is there."""
        found = self.cloudfront.get_distribution_config(Id=id)
        config = {**deepcopy(found["DistributionConfig"]), **members}
        return self.cloudfront.update_distribution(Id=id, IfMatch=found["ETag"], DistributionConfig=config)

    def delete(self, id: str) -> None:
        """DeleteDistribution, of the version that is there."""
        self.cloudfront.delete_distribution(Id=id, IfMatch=self.distribution(id)["ETag"])


def certificate(fronted: Fronted, name: str, region: str = "us-east-1") -> str:
    """A certificate of ACM that is ISSUED, by its ARN."""
    acm = fronted.aws.client("acm", region)
    route53 = fronted.aws.client("route53")
    arn = str(acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"])
    zone = route53.create_hosted_zone(Name="example.com", CallerReference=arn)["HostedZone"]["Id"]
    [option] = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    record = option["ResourceRecord"]
    shown = {
        "Name": record["Name"],
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": shown}]}
    )
    eventually(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED")
    return arn


def with_alias(config: dict[str, Any], name: str, arn: str) -> dict[str, Any]:
    """The configuration with a domain name of its own, and a certificate for it."""
    shown = {
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }
    return {**config, "Aliases": {"Quantity": 1, "Items": [name]}, "ViewerCertificate": shown}
