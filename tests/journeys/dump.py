"""Everything in an account by plain boto3, in a form in which two accounts can be compared.

Ids that AWS gives are replaced by the names of what they stand for, or left out, and so are times. It knows nothing of
the library: what the library does not look at counts too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.embedded_process import EmbeddedProcess

Dump = dict[str, Any]
# Ids, times, and what follows from the rest.
_LEFT_OUT = frozenset(
    {
        *(
            "RoleId",
            "PolicyId",
            "RoleLastUsed",
            "ResponseMetadata",
            "creationTime",
            "registryId",
            "events",
            "id",
        ),
        *("CallerReference", "OwnerId", "CanonicalHostedZoneId", "SecurityGroupArn", "deployments"),
        *("currentServiceDeployment", "currentServiceRevisions", "pendingCount", "registeredBy", "createdBy"),
        *("storedBytes", "imageSizeInBytes", "IpAddresses", "ARN", "SerialNumber", "Alarms", "attachments"),
        *("saved_at", "CreatedAt", "UpdatedAt", "StartedAt", "EndedAt", "active_hours"),
    }
)
_RANDOM = re.compile(
    r"(?<![0-9A-Za-z])([0-9a-f]{16}|[0-9a-f]{17}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
    r"|(?<=\.)[0-9a-f]{10}(?=\.acm-validations\.)"
)
_ADDRESS = re.compile(r"127\.\d+\.\d+\.\d+(:\d+)?")


def dump(embedded: EmbeddedProcess, folder: Path) -> Dump:
    """The account, by kind and name, and the files in ``folder``; service-linked roles, AWS's own, left out."""
    found = {kind: _by_name(look) for kind, look in _looks(embedded)}
    found["files"] = {each.name: json.loads(each.read_text()) for each in folder.iterdir()}
    return dict(_normal(found, _names(embedded)))


def at_rest(account: Dump) -> bool:
    """Whether nothing is on its way: no load balancer that comes, no target that goes, no distribution that changes."""
    told = json.dumps(account)
    passing = ('"provisioning"', '"draining"', '"Deploying"', '"InProgress"')
    return not any(each in told for each in passing)


def _by_name(look: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in look:
        found[f"{name}, one more" if name in found else name] = each
    return found


def _looks(embedded: EmbeddedProcess) -> Iterator[tuple[str, Iterator[tuple[str, Any]]]]:
    yield "roles", _roles(embedded.client("iam"))
    yield "policies", _policies(embedded.client("iam"))
    yield "OIDC providers", _providers(embedded.client("iam"))
    yield "log groups", _log_groups(embedded.client("logs"))
    yield "repositories", _repositories(embedded.client("ecr"))
    yield "security groups", _security_groups(embedded.client("ec2"))
    yield "interfaces", _interfaces(embedded.client("ec2"))
    yield "load balancers", _load_balancers(embedded.client("elbv2"))
    yield "VPC origins", _vpc_origins(embedded.client("cloudfront"))
    yield "distributions", _distributions(embedded.client("cloudfront"))
    yield "web ACLs", _web_acls(embedded.client("wafv2"))
    yield "web ACLs of distributions", _for_distributions(embedded.client("wafv2", "us-east-1"))
    yield "target groups", _target_groups(embedded.client("elbv2"))
    yield "clusters", _clusters(embedded.client("ecs"))
    yield "revisions", _revisions(embedded.client("ecs"))
    yield "scalable targets", _scaling(embedded.client("application-autoscaling"))
    yield "certificates", _certificates(embedded.client("acm"))
    yield "certificates of distributions", _certificates(embedded.client("acm", "us-east-1"))
    yield "secrets", _secrets(embedded.client("secretsmanager"))
    yield "zones", _zones(embedded.client("route53"))
    yield "App Runner", _app_runner(embedded.client("apprunner"))
    yield "App Runner, beside it", _beside_app_runner(embedded.client("apprunner"))


def _roles(iam: Any) -> Iterator[tuple[str, Any]]:
    for listed in _all(iam, "list_roles", "Roles"):
        if listed["Path"].startswith("/aws-service-role/"):
            continue
        name = listed["RoleName"]
        inline = _all(iam, "list_role_policies", "PolicyNames", RoleName=name)
        documents = {each: iam.get_role_policy(RoleName=name, PolicyName=each) for each in inline}
        attached = _all(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=name)
        yield name, {**iam.get_role(RoleName=name)["Role"], "inline": documents, "attached": attached}


def _policies(iam: Any) -> Iterator[tuple[str, Any]]:
    """The account's own, with every version and whom they are given to."""
    for each in _all(iam, "list_policies", "Policies", Scope="Local"):
        arn = each["Arn"]
        versions = [
            iam.get_policy_version(PolicyArn=arn, VersionId=version["VersionId"])["PolicyVersion"]
            for version in _all(iam, "list_policy_versions", "Versions", PolicyArn=arn)
        ]
        holders = _all(iam, "list_entities_for_policy", "PolicyRoles", PolicyArn=arn)
        yield each["PolicyName"], {**each, "versions": versions, "holders": holders}


def _providers(iam: Any) -> Iterator[tuple[str, Any]]:
    for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        yield each["Arn"], iam.get_open_id_connect_provider(OpenIDConnectProviderArn=each["Arn"])


def _log_groups(logs: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(logs, "describe_log_groups", "logGroups"):
        tags = logs.list_tags_for_resource(resourceArn=each["arn"].removesuffix(":*"))["tags"]
        yield each["logGroupName"], {**each, "tags": tags}


def _repositories(ecr: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(ecr, "describe_repositories", "repositories"):
        name = each["repositoryName"]
        yield (
            name,
            {
                **each,
                "images": _all(ecr, "list_images", "imageIds", repositoryName=name),
                "tags": ecr.list_tags_for_resource(resourceArn=each["repositoryArn"])["tags"],
                "lifecycle": _lifecycle(ecr, name),
            },
        )


def _lifecycle(ecr: Any, name: str) -> Any:
    try:
        return json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        return None


def _security_groups(ec2: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(ec2, "describe_security_groups", "SecurityGroups"):
        yield each["GroupName"], each


def _interfaces(ec2: Any) -> Iterator[tuple[str, Any]]:
    """How many there are of each kind, and in which groups."""
    found = _all(ec2, "describe_network_interfaces", "NetworkInterfaces")
    told = sorted(str(sorted(group["GroupName"] for group in each["Groups"])) for each in found)
    yield "all", told


def _load_balancers(elbv2: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(elbv2, "describe_load_balancers", "LoadBalancers"):
        arn = each["LoadBalancerArn"]
        yield (
            each["LoadBalancerName"],
            {
                **each,
                "attributes": elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
                "tags": _elb_tags(elbv2, arn),
                "listeners": [
                    {**listener, "tags": _elb_tags(elbv2, listener["ListenerArn"]), "rules": rules}
                    for listener in _all(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn)
                    for rules in [elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]]
                ],
            },
        )


def _vpc_origins(cloudfront: Any) -> Iterator[tuple[str, Any]]:
    for each in cloudfront.list_vpc_origins()["VpcOriginList"].get("Items", []):
        found = cloudfront.get_vpc_origin(Id=each["Id"])["VpcOrigin"]
        tags = cloudfront.list_tags_for_resource(Resource=each["Arn"])["Tags"]["Items"]
        yield each["Name"], [found["VpcOriginEndpointConfig"], found["Status"], tags]


def _distributions(cloudfront: Any) -> Iterator[tuple[str, Any]]:
    for each in cloudfront.list_distributions()["DistributionList"].get("Items", []):
        found = cloudfront.get_distribution(Id=each["Id"])["Distribution"]
        tags = cloudfront.list_tags_for_resource(Resource=each["ARN"])["Tags"]["Items"]
        yield each["Comment"], [found["DistributionConfig"], found["Status"], tags]


def _for_distributions(waf: Any) -> Iterator[tuple[str, Any]]:
    for each in waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]:
        yield each["Name"], waf.get_web_acl(ARN=each["ARN"])["WebACL"]
    for each in waf.list_ip_sets(Scope="CLOUDFRONT")["IPSets"]:
        named = {name: each[name] for name in ("Name", "Id")}
        yield each["Name"], waf.get_ip_set(Scope="CLOUDFRONT", **named)["IPSet"]


def _web_acls(waf: Any) -> Iterator[tuple[str, Any]]:
    for each in waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
        yield (
            each["Name"],
            {
                **waf.get_web_acl(ARN=each["ARN"])["WebACL"],
                "protects": waf.list_resources_for_web_acl(WebACLArn=each["ARN"])["ResourceArns"],
            },
        )


def _target_groups(elbv2: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(elbv2, "describe_target_groups", "TargetGroups"):
        arn = each["TargetGroupArn"]
        health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        yield (
            each["TargetGroupName"],
            {
                **each,
                "attributes": elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"],
                "tags": _elb_tags(elbv2, arn),
                "targets": sorted(target["TargetHealth"]["State"] for target in health),
            },
        )


def _elb_tags(elbv2: Any, arn: str) -> Any:
    return elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]


def _clusters(ecs: Any) -> Iterator[tuple[str, Any]]:
    for arn in _all(ecs, "list_clusters", "clusterArns"):
        (cluster,) = ecs.describe_clusters(clusters=[arn], include=["TAGS", "SETTINGS"])["clusters"]
        services = _all(ecs, "list_services", "serviceArns", cluster=arn)
        asked = {"cluster": arn, "services": services, "include": ["TAGS"]}
        described = ecs.describe_services(**asked)["services"] if services else []
        yield cluster["clusterName"], {**cluster, "services": [_service(each) for each in described]}


def _service(service: Mapping[str, Any]) -> dict[str, Any]:
    """With its deployments as they stand; ``failedTasks`` counts what went wrong on the way."""
    kept = ("status", "taskDefinition", "desiredCount", "runningCount", "rolloutState")
    deployments = [{name: each.get(name) for name in kept} for each in service["deployments"]]
    return {**service, "standing": deployments}


def _revisions(ecs: Any) -> Iterator[tuple[str, Any]]:
    for arn in _all(ecs, "list_task_definitions", "taskDefinitionArns"):
        found = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        yield arn.rpartition("/")[2], {**found["taskDefinition"], "tags": found.get("tags", [])}


def _scaling(scaling: Any) -> Iterator[tuple[str, Any]]:
    for each in scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]:
        asked = {"ServiceNamespace": "ecs", "ResourceId": each["ResourceId"]}
        policies = scaling.describe_scaling_policies(**asked)["ScalingPolicies"]
        yield each["ResourceId"], {**each, "policies": policies}


def certificates(acm: Any) -> list[Any]:
    """Those with keys of every kind: by default ACM lists small RSA keys only (ListCertificates, "Filters")."""
    kinds = acm.meta.service_model.shape_for("KeyAlgorithm").enum
    return _all(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": kinds})


def _secrets(secrets: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(secrets, "list_secrets", "SecretList"):
        value = secrets.get_secret_value(SecretId=each["Name"])["SecretString"]
        yield each["Name"], {"tags": each.get("Tags", []), "value": value}


def _certificates(acm: Any) -> Iterator[tuple[str, Any]]:
    for each in certificates(acm):
        tags = acm.list_tags_for_certificate(CertificateArn=each["CertificateArn"])["Tags"]
        yield each["DomainName"], {**each, "tags": tags}


def _zones(route53: Any) -> Iterator[tuple[str, Any]]:
    for each in _all(route53, "list_hosted_zones", "HostedZones"):
        records = route53.list_resource_record_sets(HostedZoneId=each["Id"])["ResourceRecordSets"]
        yield each["Name"], records


def _app_runner(apprunner: Any) -> Iterator[tuple[str, Any]]:
    for each in apprunner.list_services()["ServiceSummaryList"]:
        about = {"ServiceArn": each["ServiceArn"]}
        service = apprunner.describe_service(**about)["Service"]
        domains = apprunner.describe_custom_domains(**about)["CustomDomains"]
        yield each["ServiceName"], {**service, "domains": domains}


def _beside_app_runner(apprunner: Any) -> Iterator[tuple[str, Any]]:
    """What services use, and the private ways in."""
    for kind, member in (
        ("auto_scaling_configurations", "AutoScalingConfigurationSummaryList"),
        ("vpc_connectors", "VpcConnectors"),
        ("observability_configurations", "ObservabilityConfigurationSummaryList"),
        ("connections", "ConnectionSummaryList"),
        ("vpc_ingress_connections", "VpcIngressConnectionSummaryList"),
    ):
        yield kind, getattr(apprunner, f"list_{kind}")()[member]


def _all(client: Any, operation: str, items: str, **asked: Any) -> list[Any]:
    """Every item of a listing."""
    return [item for page in client.get_paginator(operation).paginate(**asked) for item in page[items]]


def _names(embedded: EmbeddedProcess) -> dict[str, str]:
    """EC2's ids and the names in DNS, and what they stand for."""
    ec2 = embedded.client("ec2")
    groups = {each["GroupId"]: each["GroupName"] for each in ec2.describe_security_groups()["SecurityGroups"]}
    subnets = {each["SubnetId"]: each["AvailabilityZone"] for each in ec2.describe_subnets()["Subnets"]}
    vpcs = {each["VpcId"]: f"vpc {each['CidrBlock']}" for each in ec2.describe_vpcs()["Vpcs"]}
    listed = embedded.client("cloudfront").list_vpc_origins()["VpcOriginList"].get("Items", [])
    origins = {each["Id"]: f"VPC origin {each['Name']}" for each in listed}
    return groups | subnets | vpcs | origins | _dns_names(embedded)


def _dns_names(embedded: EmbeddedProcess) -> dict[str, str]:
    balancers = _all(embedded.client("elbv2"), "describe_load_balancers", "LoadBalancers")
    services = embedded.client("apprunner").list_services()["ServiceSummaryList"]
    listed = embedded.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    fronts = {each["DomainName"]: f"distribution {each['Comment']}" for each in listed}
    return (
        fronts
        | {each["DNSName"]: f"load balancer {each['LoadBalancerName']}" for each in balancers}
        | {each["ServiceUrl"]: f"service {each['ServiceName']}" for each in services}
    )


def _normal(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        inner = {key: each for key, each in value.items() if _counts(key, each)}
        return {_text(key, names): _normal(each, names) for key, each in inner.items()}
    if isinstance(value, list):
        return sorted(
            (_normal(each, names) for each in value), key=lambda each: json.dumps(each, sort_keys=True)
        )
    return _text(value, names) if isinstance(value, str) else value


def _counts(key: str, value: Any) -> bool:
    return key not in _LEFT_OUT and not isinstance(value, datetime)


def _text(text: str, names: Mapping[str, str]) -> str:
    return names.get(text) or _ADDRESS.sub("address", _RANDOM.sub("*", text))
