"""How many of something AWS takes, and how large: the last that it takes is made, the next one is refused.

Each limit with its source; the words are those of the API's own documentation of the error where no other source is
named. Lengths, patterns and choices of single members are in ``test_conformance_malformed.py``; the sizes of IAM's
documents in ``test_conformance_iam.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.balanced import Balanced, permission
from tests.embedded.refusals import refused
from tests.embedded.test_conformance_elbv2_tls import import_certificate
from tests.embedded_process import EmbeddedProcess

VPC = "Amazon VPC User Guide, 'Amazon VPC quotas'"
ELB = "Quotas for your Application Load Balancers"
Step = Callable[[EmbeddedProcess], None]


@dataclass(frozen=True)
class Limit:
    """``fill`` makes all that AWS takes; ``next`` is one too many, which is refused with ``code`` and ``message``."""

    name: str
    source: str
    fill: Step
    next: Step
    code: str
    message: str


def tags(first: int, last: int, upper: bool = True) -> list[dict[str, str]]:
    """Tags as most services take them."""
    key, value = ("Key", "Value") if upper else ("key", "value")
    return [{key: f"k{number}", value: "v"} for number in range(first, last)]


def mapped(first: int, last: int) -> dict[str, str]:
    """Tags as a map."""
    return {f"k{number}": "v" for number in range(first, last)}


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
LOGS = "arn:aws:logs:us-east-2:123456789012:log-group:g"
ECR = "arn:aws:ecr:us-east-2:123456789012:repository/homara"
CLUSTER = "arn:aws:ecs:us-east-2:123456789012:cluster/c"


def group(aws: EmbeddedProcess) -> str:
    """The id of the security group ``g``."""
    ec2 = aws.client("ec2")
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["g"]}])["SecurityGroups"]
    return str(
        found[0]["GroupId"] if found else ec2.create_security_group(GroupName="g", Description="g")["GroupId"]
    )


def let_in(aws: EmbeddedProcess, numbers: range, family: int = 4) -> None:
    """A rule for each number, of one family."""
    ranges: dict[str, Any] = {"IpRanges": [{"CidrIp": f"10.0.{each}.0/24"} for each in numbers]}
    if family == 6:
        ranges = {"Ipv6Ranges": [{"CidrIpv6": f"2001:db8:{each:x}::/48"} for each in numbers]}
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **ranges}
    aws.client("ec2").authorize_security_group_ingress(GroupId=group(aws), IpPermissions=[rule])


def let_lists_in(aws: EmbeddedProcess, entries: int, ports: range) -> None:
    """A rule for a prefix list of so many entries, for each port."""
    ec2 = aws.client("ec2")
    made = ec2.create_managed_prefix_list(
        PrefixListName=f"of-{entries}", MaxEntries=entries, AddressFamily="IPv4"
    )
    named = [{"PrefixListId": made["PrefixList"]["PrefixListId"]}]
    rules = [
        {"IpProtocol": "tcp", "FromPort": each, "ToPort": each, "PrefixListIds": named} for each in ports
    ]
    ec2.authorize_security_group_ingress(GroupId=group(aws), IpPermissions=rules)


def interface(aws: EmbeddedProcess, groups: int) -> None:
    """A network interface with so many groups."""
    ec2 = aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = [
        ec2.create_security_group(GroupName=f"{groups}-{number}", Description="d")["GroupId"]
        for number in range(groups)
    ]
    ec2.create_network_interface(SubnetId=subnet, Groups=made)


def records(aws: EmbeddedProcess, action: str, count: int) -> None:
    """A batch of so many records in a zone of its own."""
    route53 = aws.client("route53")
    made = route53.create_hosted_zone(Name="example.com", CallerReference=f"{action}-{count}")
    changes = [
        {
            "Action": action,
            "ResourceRecordSet": {
                "Name": f"r{number}.example.com",
                "Type": "A",
                "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.1"}],
            },
        }
        for number in range(count)
    ]
    route53.change_resource_record_sets(
        HostedZoneId=made["HostedZone"]["Id"], ChangeBatch={"Changes": changes}
    )


def certificate(aws: EmbeddedProcess, names: int) -> None:
    """A request for a certificate of so many names."""
    every = [f"n{number}.example.com" for number in range(names)]
    aws.client("acm").request_certificate(
        DomainName=every[0], SubjectAlternativeNames=every, ValidationMethod="DNS"
    )


def parameter(aws: EmbeddedProcess, name: str = "/a", size: int = 1) -> None:
    """A parameter."""
    aws.client("ssm").put_parameter(Name=name, Value="x" * size, Type="String")


def containers(aws: EmbeddedProcess, count: int) -> None:
    """A task definition of so many containers."""
    given = [{"name": f"c{number}", "image": "x", "memory": 4} for number in range(count)]
    aws.client("ecs").register_task_definition(family="f", containerDefinitions=given)


def role(aws: EmbeddedProcess, **more: Any) -> None:
    """The role ``r``."""
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, **more)


def policies(aws: EmbeddedProcess, numbers: range) -> None:
    """Scaling policies of a service that is there."""
    scaling, ecs = aws.client("application-autoscaling"), aws.client("ecs")
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/s",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    if not ecs.list_clusters()["clusterArns"]:
        ecs.create_cluster(clusterName="c")
        container = {"name": "app", "image": "x"}
        ecs.register_task_definition(
            family="f",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        subnets = [each["SubnetId"] for each in aws.client("ec2").describe_subnets()["Subnets"]]
        network = {"awsvpcConfiguration": {"subnets": subnets[:1]}}
        ecs.create_service(
            cluster="c",
            serviceName="s",
            taskDefinition="f",
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=network,
        )
        scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2)
    for number in numbers:
        scaling.put_scaling_policy(
            **where,
            PolicyName=f"p{number}",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 50,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            },
        )


LIMITS = (
    Limit(
        "tags of a role",
        "IAM User Guide, 'IAM object quotas': tags that can be attached to an IAM role: 50; words: LimitExceeded "
        "'Cannot exceed quota for ACLSizePerRole: 2048', 'for RolesPerAccount: 1500', as public logs have it",
        lambda aws: role(aws, Tags=tags(0, 50)),
        lambda aws: aws.client("iam").tag_role(RoleName="r", Tags=tags(50, 51)),
        "LimitExceeded",
        "Cannot exceed quota for TagsPerRole: 50",
    ),
    Limit(
        "tags of a log group",
        "CloudWatch Logs API, TagResource: 'You can have as many as 50 tags associated with a … resource'",
        lambda aws: aws.client("logs").create_log_group(logGroupName="g", tags=mapped(0, 50)),
        lambda aws: aws.client("logs").tag_resource(resourceArn=LOGS, tags=mapped(50, 51)),
        "TooManyTagsException",
        "A resource can have no more than 50 tags.",
    ),
    Limit(
        "tags of a repository",
        "ECR API, TooManyTagsException: 'The maximum number of tags that can be applied to a repository is 50'",
        lambda aws: aws.client("ecr").create_repository(repositoryName="homara", tags=tags(0, 50)),
        lambda aws: aws.client("ecr").tag_resource(resourceArn=ECR, tags=tags(50, 51)),
        "TooManyTagsException",
        "The maximum number of tags that can be applied to a repository is 50",
    ),
    Limit(
        "tags of a cluster",
        "ECS API, TagResource: 'Maximum number of tags per resource - 50'",
        lambda aws: aws.client("ecs").create_cluster(clusterName="c", tags=tags(0, 50, upper=False)),
        lambda aws: aws.client("ecs").tag_resource(resourceArn=CLUSTER, tags=tags(50, 51, upper=False)),
        "InvalidParameterException",
        "50",
    ),
    Limit(
        "tags of a security group",
        "EC2 API, 'Error codes', TagLimitExceeded: 'You've reached the limit on the number of tags that you can assign "
        "to the specified resource'; EC2 User Guide, 'Tag restrictions': 50",
        lambda aws: aws.client("ec2").create_tags(Resources=[group(aws)], Tags=tags(0, 50)),
        lambda aws: aws.client("ec2").create_tags(Resources=[group(aws)], Tags=tags(50, 51)),
        "TagLimitExceeded",
        "maximum number of Tags for a resource",
    ),
    Limit(
        "EC2's reserved tags",
        "EC2 User Guide, 'Tag restrictions': 'The aws: prefix is reserved for AWS use'",
        lambda aws: aws.client("ec2").create_tags(Resources=[group(aws)], Tags=tags(0, 1)),
        lambda aws: aws.client("ec2").create_tags(
            Resources=[group(aws)], Tags=[{"Key": "aws:x", "Value": ""}]
        ),
        "InvalidParameterValue",
        "reserved for internal use",
    ),
    Limit(
        "rules for IPv4",
        f"{VPC}: 'Inbound or outbound rules per security group 60 … enforced separately for IPv4 rules and IPv6 rules'",
        lambda aws: let_in(aws, range(60)),
        lambda aws: let_in(aws, range(60, 61)),
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    ),
    Limit(
        "rules for IPv6",
        f"{VPC}: '60 inbound rules for IPv4 traffic and 60 inbound rules for IPv6 traffic'",
        lambda aws: let_in(aws, range(60), family=6),
        lambda aws: let_in(aws, range(60, 61), family=6),
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    ),
    Limit(
        "the weight of prefix lists",
        f"{VPC}: 'a prefix list with 20 maximum entries … counts as 20 security group rules'",
        lambda aws: let_lists_in(aws, 20, range(1, 4)),
        lambda aws: let_in(aws, range(1)),
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    ),
    Limit(
        "groups of an interface",
        f"{VPC}: 'Security groups per network interface | 5'",
        lambda aws: interface(aws, 5),
        lambda aws: interface(aws, 6),
        "SecurityGroupsPerInterfaceLimitExceeded",
        "",
    ),
    Limit(
        "names of a certificate",
        "ACM User Guide, 'Quotas': 'Number of domain names per ACM certificate 10'; 'LimitExceededException: "
        "Certificate has too many domains.' (terraform-provider-aws, issues 35825 and 37723)",
        lambda aws: certificate(aws, 10),
        lambda aws: certificate(aws, 11),
        "LimitExceededException",
        "Certificate has too many domains.",
    ),
    Limit(
        "records of a batch",
        "Route 53 Developer Guide, 'Maximums on ChangeResourceRecordSets requests': 1,000 ResourceRecord elements",
        lambda aws: records(aws, "CREATE", 1000),
        lambda aws: records(aws, "CREATE", 1001),
        "InvalidChangeBatch",
        "Number of records limit of 1000 exceeded.",
    ),
    Limit(
        "records of a batch that are upserted",
        "the same page: 'When the value of the Action element is UPSERT, each ResourceRecord element is counted twice'",
        lambda aws: records(aws, "UPSERT", 500),
        lambda aws: records(aws, "UPSERT", 501),
        "InvalidChangeBatch",
        "Number of records limit of 1000 exceeded.",
    ),
    Limit(
        "the value of a standard parameter",
        "'ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters. To "
        "create a larger …' (public logs)",
        lambda aws: parameter(aws, size=4096),
        lambda aws: parameter(aws, "/b", size=4097),
        "ValidationException",
        "Standard tier parameters support a maximum parameter value of 4096 characters.",
    ),
    Limit(
        "levels of a parameter's name",
        "SSM API, PutParameter: 'Parameter hierarchies are limited to a maximum depth of fifteen levels'",
        lambda aws: parameter(aws, "/a" * 15),
        lambda aws: parameter(aws, "/a" * 16),
        "HierarchyLevelLimitExceededException",
        "15 levels",
    ),
    Limit(
        "a parameter's whole path",
        "'ValidationException: Parameter name must be a fully qualified name' (public logs)",
        lambda aws: parameter(aws, "/a/b"),
        lambda aws: parameter(aws, "a/c"),
        "ValidationException",
        "Parameter name must be a fully qualified name",
    ),
    Limit(
        "tags of an identity provider",
        "IAM User Guide, 'IAM object quotas': tags that can be attached to an OIDC identity provider: 50",
        lambda aws: aws.client("iam").create_open_id_connect_provider(
            Url="https://example.com", Tags=tags(0, 50)
        ),
        lambda aws: aws.client("iam").tag_open_id_connect_provider(
            OpenIDConnectProviderArn="arn:aws:iam::123456789012:oidc-provider/example.com", Tags=tags(50, 51)
        ),
        "LimitExceeded",
        "50",
    ),
    Limit(
        "containers of a task definition",
        "Amazon ECS service quotas: 'Containers per task definition 10'; 'ClientException: Too many containers.' "
        "(aws/amazon-ecs-cli, issue 184)",
        lambda aws: containers(aws, 10),
        lambda aws: containers(aws, 11),
        "ClientException",
        "Too many containers.",
    ),
    Limit(
        "scaling policies of a target",
        "Quotas for Application Auto Scaling: 'Scaling policies per scalable target … 50 No'",
        lambda aws: policies(aws, range(50)),
        lambda aws: policies(aws, range(50, 51)),
        "LimitExceededException",
        "A per-account resource limit is exceeded.",
    ),
)


RESERVED: dict[str, Callable[[EmbeddedProcess, str], Any]] = {
    "ACM": lambda aws, key: aws.client("acm").request_certificate(
        DomainName="a.example.com", Tags=[{"Key": key, "Value": "v"}]
    ),
    "App Runner": lambda aws, key: aws.client("apprunner").create_auto_scaling_configuration(
        AutoScalingConfigurationName="conf", Tags=[{"Key": key, "Value": "v"}]
    ),
    "EC2": lambda aws, key: aws.client("ec2").create_tags(
        Resources=[group(aws)], Tags=[{"Key": key, "Value": "v"}]
    ),
    "ECR": lambda aws, key: aws.client("ecr").create_repository(
        repositoryName="homara", tags=[{"Key": key, "Value": "v"}]
    ),
    "ECS": lambda aws, key: aws.client("ecs").create_cluster(tags=[{"key": key, "value": "v"}]),
    "IAM": lambda aws, key: role(aws, Tags=[{"Key": key, "Value": "v"}]),
    "IAM, providers": lambda aws, key: aws.client("iam").create_open_id_connect_provider(
        Url="https://example.com", Tags=[{"Key": key, "Value": "v"}]
    ),
    "logs": lambda aws, key: aws.client("logs").create_log_group(logGroupName="g", tags={key: "v"}),
    "Secrets Manager": lambda aws, key: aws.client("secretsmanager").create_secret(
        Name="s", SecretString="x", Tags=[{"Key": key, "Value": "v"}]
    ),
    "Systems Manager": lambda aws, key: aws.client("ssm").put_parameter(
        Name="/p", Value="v", Type="String", Tags=[{"Key": key, "Value": "v"}]
    ),
}


@pytest.mark.parametrize("service", RESERVED)
def test_what_aws_keeps_for_itself_is_no_tag(aws: EmbeddedProcess, service: str) -> None:
    """AWS General Reference, 'Tag naming limits and requirements': "the aws: prefix is reserved for AWS use"."""
    with pytest.raises(ClientError) as caught:
        RESERVED[service](aws, "aws:cloudformation:stack-name")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    RESERVED[service](aws, "cloudformation:aws:stack-name")


def test_ecr_measures_tags(aws: EmbeddedProcess) -> None:
    """InvalidTagParameterException: "Tag keys can have a maximum character length of 128 characters, and tag values can
    have a maximum length of 256 characters" (ECR API).
    """
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="homara", tags=[{"Key": "k" * 128, "Value": "v" * 256}])
    for wrong in ({"Key": "k" * 129, "Value": "v"}, {"Key": "k", "Value": "v" * 257}):
        with refused("InvalidTagParameterException"):
            ecr.tag_resource(resourceArn=ECR, tags=[wrong])
        with refused("InvalidTagParameterException"):
            ecr.create_repository(repositoryName="other", tags=[wrong])


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_as_many_as_aws_takes_and_no_more(aws: EmbeddedProcess, limit: Limit) -> None:
    limit.fill(aws)
    with refused(limit.code, limit.message):
        limit.next(aws)


def fixed(code: str = "200") -> dict[str, Any]:
    """An action without a target group."""
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": code}}


def rule(balanced: Balanced, priority: int, action: Mapping[str, Any]) -> None:
    """A rule of the first listener."""
    path = [{"Field": "path-pattern", "Values": [f"/{priority}"]}]
    balanced.elb.create_rule(
        ListenerArn=balanced.listener, Priority=priority, Conditions=path, Actions=[action]
    )


def test_a_load_balancer_has_so_many_listeners(balanced: Balanced) -> None:
    """'Listeners per Application Load Balancer 50'; TooManyListeners (API): 'You've reached the limit …'."""
    for port in range(1000, 1049):
        balanced.listen(port, fixed())
    with refused("TooManyListeners", "You've reached the limit on the number of listeners per load balancer"):
        balanced.listen(2000, fixed())


def test_a_load_balancer_has_so_many_rules(balanced: Balanced) -> None:
    """'Rules per Application Load Balancer 100' (default rules not counted), whatever the listener."""
    second = balanced.listen(81, fixed())
    for priority in range(1, 101):
        rule(balanced, priority, fixed())
    with refused("TooManyRules", "You've reached the limit on the number of rules per load balancer"):
        path = [{"Field": "path-pattern", "Values": ["/x"]}]
        balanced.elb.create_rule(ListenerArn=second, Priority=1, Conditions=path, Actions=[fixed()])


def test_a_load_balancer_has_so_many_target_groups(balanced: Balanced) -> None:
    """'Target Groups per Application Load Balancer 100'; one that is used twice is counted once (API)."""
    for number in range(1, 100):
        rule(balanced, number, balanced.forward(balanced.make_target_group(f"tg-{number}")))
    rule(balanced, 100, balanced.forward(balanced.target_group))
    one_more = balanced.make_target_group("one-more")
    with refused("TooManyUniqueTargetGroupsPerLoadBalancer"):
        balanced.listen(81, balanced.forward(one_more))


def test_a_load_balancer_has_so_many_certificates(balanced: Balanced) -> None:
    """'Certificates per Application Load Balancer (excluding default certificates) 25'; nothing of what is too much."""
    listener, default = "", ""
    for number in range(26):
        arn, _ = import_certificate(balanced, f"n{number}.example.com")
        named = [{"CertificateArn": arn}]
        if listener:
            balanced.elb.add_listener_certificates(ListenerArn=listener, Certificates=named)
        else:
            default = arn
            listener = balanced.listen(443, fixed(), "HTTPS", Certificates=named)
    arn, _ = import_certificate(balanced, "more.example.com")
    for _ in range(2):
        with refused("TooManyCertificates", "limit on the number of certificates per load balancer"):
            balanced.elb.add_listener_certificates(
                ListenerArn=listener, Certificates=[{"CertificateArn": arn}]
            )
    there = balanced.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert len({each["CertificateArn"] for each in there} | {default}) == 26


def test_a_target_group_has_so_many_targets(balanced: Balanced) -> None:
    """'Targets per Target Group per Region (instances or IP addresses) 1,000', all of a call or none."""
    targets = [
        {"Id": f"10.9.{number // 250}.{number % 250 + 1}", "AvailabilityZone": "all"}
        for number in range(1001)
    ]
    balanced.elb.register_targets(TargetGroupArn=balanced.target_group, Targets=targets[:999])
    with refused("TooManyTargets", "You've reached the limit on the number of targets"):
        balanced.elb.register_targets(TargetGroupArn=balanced.target_group, Targets=targets[999:])
    balanced.elb.register_targets(TargetGroupArn=balanced.target_group, Targets=targets[:1000])


def test_a_region_has_so_many_load_balancers(balanced: Balanced) -> None:
    """'Application Load Balancers per Region 50'."""
    for number in range(49):
        balanced.make_balancer(f"lb-{number}")
    with refused("TooManyLoadBalancers", "You've reached the limit on the number of load balancers"):
        balanced.make_balancer("one-more")


def test_tags_of_several_load_balancers_are_added_to_all_or_none(balanced: Balanced) -> None:
    """TooManyTags (API): 'You've reached the limit on the number of tags for this resource.'"""
    other = balanced.make_target_group("other")
    balanced.elb.add_tags(ResourceArns=[other], Tags=tags(0, 50))
    with refused("TooManyTags", "You've reached the limit on the number of tags for this resource"):
        balanced.elb.add_tags(ResourceArns=[balanced.target_group, other], Tags=tags(50, 51))
    told = balanced.elb.describe_tags(ResourceArns=[balanced.target_group])["TagDescriptions"]
    assert told[0]["Tags"] == []


@pytest.mark.exhaustive
def test_a_region_has_so_many_target_groups(balanced: Balanced) -> None:
    """'Target Groups per Region 3,000'."""
    for number in range(2999):
        balanced.make_target_group(f"tg-{number}")
    with refused("TooManyTargetGroups", "You've reached the limit on the number of target groups"):
        balanced.make_target_group("one-more")


def test_each_family_has_rules_of_its_own(aws: EmbeddedProcess) -> None:
    """'This quota is enforced separately for IPv4 rules and IPv6 rules' (Amazon VPC quotas)."""
    let_in(aws, range(60))
    let_in(aws, range(60), family=6)


def test_rules_from_a_group_count_for_both_families(balanced: Balanced) -> None:
    """Amazon VPC User Guide, 'Security group size': a rule that references a security group counts as one rule."""
    group_id = balanced.make_group("many")
    for port in range(1, 61):
        balanced.allow_from(group_id, balanced.outer, port)
    for more in (
        permission(balanced.outer, 61),
        [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}],
        [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}],
    ):
        with refused("RulesPerSecurityGroupLimitExceeded"):
            balanced.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=more)
