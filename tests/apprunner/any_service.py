"""Arbitrary App Runner services, as CreateService takes them, with whatever stands around them (hypothesis)."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from lobster_tasks.apprunner.description import (
    Answers,
    Description,
    ImageFacts,
    RoleFacts,
    SecretFacts,
    Subnet,
    Vpc,
)

from .descriptions import ACCOUNT, REGION, REGISTRY, described

# What App Runner's pattern ``.*`` takes: anything but line breaks and controls.
_PRINTED = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
_WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
_SIZES = [
    *(("256", "512"), ("0.25 vCPU", "1 GB"), ("512", "1024"), ("1 vCPU", "2 GB"), ("1024", "4096")),
    *(("2048", "6144"), ("4 vCPU", "12 GB"), ("4096", "8192")),
]
_RUNTIMES = ["PYTHON_311", "NODEJS_18", "CORRETTO_11", "GO_1", "DOTNET_6", "PHP_81", "RUBY_31", "NODEJS_22"]
_SECRET = f"arn:aws:secretsmanager:{REGION}:{{account}}:secret:{{name}}-AbC123{{rest}}"
_MANAGED = [f"arn:aws:iam::aws:policy/{name}" for name in ("AmazonS3ReadOnlyAccess", "ReadOnlyAccess")]
_BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{3,39}", fullmatch=True)
texts = st.text(_PRINTED, max_size=30)
variables = st.dictionaries(st.text(_PRINTED, min_size=1, max_size=12), texts, max_size=4)
sources = st.one_of(
    st.builds(
        _SECRET.format,
        account=st.sampled_from([ACCOUNT, "999999999999"]),
        name=_WORD,
        rest=st.sampled_from(["", ":key::", ":key", ":key:AWSCURRENT:"]),
    ),
    st.builds("/{}/{}".format, _WORD, _WORD),
    st.builds(f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{{}}".format, _WORD),
)
commands = st.one_of(
    st.just(""),
    st.text(_PRINTED, min_size=1, max_size=30),
    st.sampled_from(["python app.py", "streamlit run app.py --server.port $PORT", "a && b", "echo 'x"]),
)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """ImageConfiguration, or the members of CodeConfigurationValues that are the same."""
    made: dict[str, Any] = {
        "Port": str(draw(st.integers(1, 65535))),
        "StartCommand": draw(commands),
        "RuntimeEnvironmentVariables": draw(variables),
        "RuntimeEnvironmentSecrets": draw(st.dictionaries(_WORD, sources, max_size=3)),
    }
    return {name: value for name, value in made.items() if draw(st.booleans())}


@st.composite
def images(draw: st.DrawFn) -> tuple[dict[str, Any], ImageFacts]:
    """ImageRepository and what is known of the image."""
    repository = draw(st.from_regex(r"[a-z0-9]+([._/-][a-z0-9]+){0,2}", fullmatch=True))
    tag = draw(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}", fullmatch=True))
    kind = draw(st.sampled_from(["own", "foreign", "far", "public"]))
    registry, region = {"foreign": ("999999999999", REGION), "far": (ACCOUNT, "eu-west-1")}.get(
        kind, (ACCOUNT, REGION)
    )
    identifier, facts = f"{REGISTRY}/{repository}:{tag}", ImageFacts(repository, registry, region, tag)
    if kind == "public":
        identifier, facts = (
            f"public.ecr.aws/acme/{repository}:{tag}",
            ImageFacts(f"acme/{repository}", tag=tag),
        )
    return {
        "ImageIdentifier": identifier,
        "ImageRepositoryType": "ECR_PUBLIC" if kind == "public" else "ECR",
        "ImageConfiguration": draw(configurations()),
    }, facts


@st.composite
def code(draw: st.DrawFn) -> dict[str, Any]:
    """CodeRepository."""
    values = {"Runtime": draw(st.sampled_from(_RUNTIMES)), **draw(configurations())}
    return {
        "RepositoryUrl": "https://github.com/example/app",
        "SourceCodeVersion": {"Type": "BRANCH", "Value": "main"},
        "SourceDirectory": draw(st.sampled_from(["/", "app", "/a/b"])),
        "CodeConfiguration": draw(
            st.one_of(
                st.just({"ConfigurationSource": "REPOSITORY"}),
                st.just({"ConfigurationSource": "API", "CodeConfigurationValues": values}),
            )
        ),
    }


@st.composite
def roles(draw: st.DrawFn) -> RoleFacts | None:
    """An instance role."""
    if not draw(st.booleans()):
        return None
    statement = {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": draw(st.sampled_from(["*", "arn:aws:s3:::{{x}}/*"])),
    }
    inline = draw(
        st.dictionaries(_WORD, st.just({"Version": "2012-10-17", "Statement": [statement]}), max_size=2)
    )
    return RoleFacts(
        f"arn:aws:iam::{ACCOUNT}:role/{draw(names)}",
        draw(st.booleans()),
        inline,
        tuple(draw(st.lists(st.sampled_from(_MANAGED), unique=True))),
        draw(st.sampled_from(["", _BOUNDARY])),
    )


def vpcs(of: Vpc | None = None) -> st.SearchStrategy[Vpc | None]:
    """A VPC of any shape, or one that is there."""
    if of is not None:
        return st.just(of)
    subnets = st.builds(
        Subnet,
        st.from_regex(r"subnet-[0-9a-f]{8}", fullmatch=True),
        st.sampled_from([f"{REGION}{zone}" for zone in "abc"]),
        st.sampled_from(["internet", "nat", "other", ""]),
        st.booleans(),
    )
    endpoints = st.sampled_from(
        [frozenset(), frozenset({"ecr.api", "ecr.dkr", "logs", "s3", "ssm", "secretsmanager"})]
    )
    listed = st.lists(subnets, max_size=6, unique_by=lambda each: each.id).map(tuple)
    return st.one_of(st.none(), st.builds(Vpc, st.just("vpc-0a"), st.booleans(), listed, endpoints))


@st.composite
def networks(draw: st.DrawFn, vpc: Vpc | None, groups: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """NetworkConfiguration, and the connector and the ingress connection that it leads to."""
    public, connected = draw(st.booleans()), draw(st.booleans())
    egress: dict[str, Any] = {"EgressType": "VPC" if connected else "DEFAULT"}
    facts: dict[str, Any] = {}
    subnets = [each.id for each in vpc.subnets] if vpc else ["subnet-0f"]
    if connected:
        egress["VpcConnectorArn"] = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/in/1/1"
        chosen = (
            draw(st.lists(st.sampled_from(subnets), min_size=1, max_size=4, unique=True)) if subnets else []
        )
        facts["connector"] = {
            "Subnets": chosen,
            "SecurityGroups": draw(st.lists(st.sampled_from(groups), unique=True)),
        }
    if not public and draw(st.booleans()):
        into = draw(st.sampled_from([vpc.id if vpc else "vpc-0b", "vpc-0c"]))
        way = {"DomainName": "x.vpce", "IngressVpcConfiguration": {"VpcId": into, "VpcEndpointId": "vpce-1"}}
        facts |= {"ingress": (way,), "ingress_vpc": into}
    return {
        "EgressConfiguration": egress,
        "IngressConfiguration": {"IsPubliclyAccessible": public},
        "IpAddressType": draw(st.sampled_from(["IPV4", "DUAL_STACK"])),
    }, facts


@st.composite
def services(
    draw: st.DrawFn, vpc: Vpc | None = None, groups: tuple[str, ...] = ("sg-0a", "sg-0b")
) -> Description:
    """Any service: ``vpc`` and ``groups`` are what there is, where that matters."""
    where = draw(vpcs(vpc))
    network, facts = draw(networks(where, list(groups)))
    source, image = ({"CodeRepository": draw(code())}, None) if draw(st.booleans()) else (None, None)
    if source is None:
        repository, image = draw(images())
        source = {"ImageRepository": repository}
    least = draw(st.integers(1, 25))
    cpu, memory = draw(st.sampled_from(_SIZES))
    named = (
        source.get("ImageRepository", {}).get("ImageConfiguration", {}).get("RuntimeEnvironmentSecrets", {})
    )
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-0000-4000-8000-000000000000"
    return described(
        {
            "ServiceName": draw(names),
            "Status": draw(st.sampled_from(["RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED"])),
            "SourceConfiguration": {**source, "AutoDeploymentsEnabled": draw(st.booleans())},
            "InstanceConfiguration": {"Cpu": cpu, "Memory": memory},
            "HealthCheckConfiguration": draw(health_checks),
            "NetworkConfiguration": network,
            "ObservabilityConfiguration": {"ObservabilityEnabled": draw(st.booleans())},
        },
        image=image,
        vpc=where,
        scaling={
            "MinSize": least,
            "MaxSize": least + draw(st.integers(0, 10)),
            "MaxConcurrency": draw(st.integers(1, 200)),
        },
        tags=draw(st.dictionaries(st.text(_PRINTED, min_size=1, max_size=10), texts, max_size=3)),
        answers=draw(st.sampled_from([None, Answers(True, 200), Answers(False, 200), Answers(False, None)])),
        instance_role=draw(roles()),
        secrets=tuple(
            SecretFacts(name, value, True, draw(st.sampled_from(["", key])))
            for name, value in sorted(named.items())
        ),
        domains=draw(domains),
        **facts,
    )


health_checks = st.fixed_dictionaries(
    {},
    optional={
        "Protocol": st.sampled_from(["TCP", "HTTP"]),
        "Path": st.text(_PRINTED, min_size=1, max_size=20),
        "Interval": st.integers(1, 20),
        "Timeout": st.integers(1, 20),
        "HealthyThreshold": st.integers(1, 20),
        "UnhealthyThreshold": st.integers(1, 20),
    },
)
domains = st.fixed_dictionaries(
    {
        "CustomDomains": st.lists(
            st.fixed_dictionaries(
                {
                    "DomainName": st.from_regex(r"[A-Za-z0-9]{1,8}\.example\.com", fullmatch=True),
                    "EnableWWWSubdomain": st.booleans(),
                    "Status": st.sampled_from(["ACTIVE", "PENDING_CERTIFICATE_DNS_VALIDATION"]),
                }
            ),
            max_size=2,
            unique_by=lambda each: each["DomainName"].lower(),
        )
    }
)
