"""What no client of AWS's sends is refused in AWS's own words, whatever the operation, and never carried out.

Sources, all as AWS sends them, from public logs and clients' own tests. JSON: "{"__type":"UnknownOperationException"}"
without a message for a target that is not known, "{"__type":"SerializationException"}" for what is no JSON. Types:
"NUMBER_VALUE cannot be converted to String", "STRING_VALUE cannot be converted to Integer" (Date), "Start of list found
where not expected", "Start of structure or map found where not expected." Members: "1 validation error detected: Value
null at 'policyArn' failed to satisfy constraint: Member must not be null". Query: InvalidAction "Could not find
operation … for version 2010-05-08", MalformedInput. EC2: InvalidAction "The action … is not valid for this web
service", MissingParameter "The request must contain the parameter …". Route 53: InvalidInput "Invalid XML ; …".
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import unquote, urlencode

import pytest
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedded_aws.endpoint import malformed
from embedded_aws.moto.wire import read_call
from tests.embedded.malformed_requests import (
    CREDENTIAL,
    Sent,
    Wire,
    model_of,
    no_whole_numbers,
    of_operation,
    out_of_bounds,
    request,
    sample,
    with_body,
)
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess

OURS = [
    "acm",
    "application-autoscaling",
    "apprunner",
    "cloudfront",
    "ec2",
    "ecr",
    "ecs",
    "elbv2",
    "iam",
    "logs",
    "resourcegroupstaggingapi",
    "route53",
    "secretsmanager",
    "ssm",
    "sts",
    "wafv2",
]
MOTOS = [
    "cloudwatch",
    "dynamodb",
    "elb",
    "events",
    "kms",
    "lambda",
    "pinpoint",
    "s3",
    "sns",
    "sqs",
    "timestream-query",
    "timestream-write",
]
EVERY = {"ec2": 8, "ssm": 3, "logs": 2, "iam": 2}
"""Of which services the ordinary run takes each so many'th operation."""


@pytest.fixture
def wire(aws: EmbeddedProcess) -> Iterator[Wire]:
    """A connection to an empty embedded AWS."""
    with closing(Wire(aws.url)) as opened:
        yield opened


def sees(aws: EmbeddedProcess) -> list[Any]:
    """What is in the account, as lists of several services tell it."""
    return [
        aws.client("ecs").list_clusters()["clusterArns"],
        aws.client("ecs").list_task_definitions()["taskDefinitionArns"],
        aws.client("iam").list_roles()["Roles"],
        aws.client("iam").list_policies(Scope="Local")["Policies"],
        aws.client("ec2").describe_security_groups()["SecurityGroups"],
        aws.client("ec2").describe_vpcs()["Vpcs"],
        aws.client("ecr").describe_repositories()["repositories"],
        aws.client("logs").describe_log_groups()["logGroups"],
        aws.client("elbv2").describe_load_balancers()["LoadBalancers"],
        aws.client("secretsmanager").list_secrets()["SecretList"],
        aws.client("ssm").describe_parameters()["Parameters"],
        aws.client("route53").list_hosted_zones()["HostedZones"],
        aws.client("apprunner").list_services()["ServiceSummaryList"],
        aws.client("acm").list_certificates()["CertificateSummaryList"],
        aws.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"],
    ]


def assert_refused(aws: EmbeddedProcess, wire: Wire, service: str, operations: list[str]) -> None:
    """Send every malformed request there is to these operations: 4xx each, and nothing has changed."""
    before, sent = sees(aws), 0
    written = [
        each for each in operations if not model_of(service).operation_model(each).endpoint
    ]  # no own host
    for operation in written:
        for one in of_operation(service, operation):
            answer = wire.send(one)
            assert 400 <= answer.status < 500, (operation, one, answer)
            sent += 1
    assert sent or not written
    assert sees(aws) == before


@pytest.mark.parametrize("service", [*OURS, *MOTOS])
def test_every_operation_refuses_what_is_malformed(aws: EmbeddedProcess, wire: Wire, service: str) -> None:
    """Broken bodies, other types, members that are missing, actions and versions that are not known."""
    assert_refused(aws, wire, service, model_of(service).operation_names[:: EVERY.get(service, 1)])


SERVICES = sorted(set(get_session().get_available_services()) - {"bedrock", "s3"})


@pytest.mark.exhaustive
@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_of_every_service_does(aws: EmbeddedProcess, wire: Wire, service: str) -> None:
    """Those that moto serves, and those that nobody does."""
    assert_refused(aws, wire, service, model_of(service).operation_names)


NO_NUMBER = {
    "json": "SerializationException",
    "rest-json": "SerializationException",
    "query": "MalformedInput",
} | {
    "ec2": "InvalidParameterValue",
    "route53": "InvalidInput",
    "cloudfront": "MalformedInput",
}


@pytest.mark.parametrize("service", OURS)
def test_every_whole_number_is_one_of_its_type(aws: EmbeddedProcess, wire: Wire, service: str) -> None:
    """Fractions, and what is out of range: "Underflow or overflow should result in SerializationException", and so does
    "float_truncation" (Smithy's protocol tests of AWS, malformed-integer.smithy: in body, path, query and headers).

    "Integer: 32 bit", "Long: 64 bit" (Smithy, 'Simple types'). What the older protocols say is not documented: their
    code is that of any other value of a wrong type.
    """
    before, protocol = sees(aws), model_of(service).resolved_protocol
    code = NO_NUMBER[service if protocol == "rest-xml" else protocol]
    for operation in model_of(service).operation_names[:: EVERY.get(service, 1)]:
        if model_of(service).operation_model(operation).endpoint:  # a host of its own
            continue
        for one in no_whole_numbers(service, operation):
            answer = wire.send(one)
            assert (answer.status, code in answer.text) == (400, True), (
                operation,
                one,
                answer,
            )
    assert sees(aws) == before


TOKENS = ("NextToken", "nextToken", "PaginationToken")
MARKERS = ("elbv2", "iam", "kms", "lambda", "route53")


@pytest.mark.parametrize(
    "service", [*OURS, "cloudwatch", "events", "kms", "lambda", "sns", "timestream-query"]
)
def test_a_token_that_no_answer_gave_out_is_refused(wire: Wire, service: str) -> None:
    """In every operation that has pages. "InvalidNextToken: The specified token is not valid." (SSM API), and so on in
    the models of others; "Value ( … ) for parameter NextToken is invalid. The token is invalid." (EC2: boto/boto3,
    issue 2673); "The specified nextToken is invalid." (CloudWatch Logs, in public logs). What others say is not
    documented, and where something else is wrong as well that may be told first.
    """
    names = (*TOKENS, "Marker") if service in MARKERS else TOKENS
    for operation in model_of(service).operation_names[:: 4 if service == "ec2" else 1]:
        described = model_of(service).operation_model(operation)
        shape = described.input_shape
        for name in names if shape and not described.endpoint else ():
            if name in shape.members:
                answer = wire.send(request(service, operation, {**sample(shape), name: "junk" * 10}))
                assert answer.status == 400, (operation, answer)


OF_TOKENS = [
    ("ec2", "DescribeVpcs", "InvalidParameterValue", "Value ( x ) for parameter NextToken is invalid."),
    ("logs", "DescribeLogGroups", "InvalidParameterException", "The specified nextToken is invalid."),
    ("secretsmanager", "ListSecrets", "InvalidNextTokenException", ""),
    ("ssm", "DescribeParameters", "InvalidNextToken", "The specified NextToken is not valid."),
]


@pytest.mark.parametrize(("service", "operation", "code", "message"), OF_TOKENS)
def test_tokens_are_refused_in_these_words(
    aws: EmbeddedProcess, service: str, operation: str, code: str, message: str
) -> None:
    """The sources are those above."""
    client = aws.client(service)
    name = "nextToken" if service == "logs" else "NextToken"
    with refused(code, message):
        client._make_api_call(operation, {name: "x"})


PAGED = [
    ("logs", "describe_log_groups", "logGroups", lambda c, n: c.create_log_group(logGroupName=f"g{n}"), 1),
    (
        "ecr",
        "describe_repositories",
        "repositories",
        lambda c, n: c.create_repository(repositoryName=f"r{n}a"),
        1,
    ),
    ("ecs", "list_clusters", "clusterArns", lambda c, n: c.create_cluster(clusterName=f"c{n}"), 1),
    (
        "route53",
        "list_hosted_zones",
        "HostedZones",
        lambda c, n: c.create_hosted_zone(Name="a.io", CallerReference=n),
        1,
    ),
    (
        "secretsmanager",
        "list_secrets",
        "SecretList",
        lambda c, n: c.create_secret(Name=n, SecretString="x"),
        1,
    ),
    ("sns", "list_topics", "Topics", lambda c, n: c.create_topic(Name=n), None),
]


@pytest.mark.parametrize(
    ("service", "operation", "found", "make", "size"), PAGED, ids=[each[1] for each in PAGED]
)
def test_a_token_that_an_answer_gave_out_is_taken(
    aws: EmbeddedProcess, service: str, operation: str, found: str, make: Any, size: int | None
) -> None:
    """Page by page, in every protocol."""
    client = aws.client(service)
    for number in range(101 if size is None else 2 * size + 1):
        make(client, str(number))
    paging = {"PageSize": size} if size else {}
    pages = list(client.get_paginator(operation).paginate(PaginationConfig=paging))
    assert len(pages) > 1
    assert sum(len(page[found]) for page in pages) > (size or 100)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
JSON_OPERATIONS = [
    (service, operation)
    for service in ("acm", "apprunner", "application-autoscaling", "ecr", "ecs")
    for operation in model_of(service).operation_names
    if model_of(service).operation_model(operation).input_shape
]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(called=st.sampled_from(JSON_OPERATIONS), data=st.data())
def test_no_json_makes_a_defect(wire: Wire, called: tuple[str, str], data: st.DataObject) -> None:
    """Any value for any member of any operation."""
    service, operation = called
    shape = model_of(service).operation_model(operation).input_shape
    members = data.draw(st.dictionaries(st.sampled_from(sorted(shape.members) or ["x"]), VALUES, max_size=4))
    sent = with_body(request(service, operation, {}), "", json.dumps(members).encode())
    assert wire.send(sent).status < 500


MODELLED = sorted({*OURS} - {"ec2"})
"""EC2's model says little of what EC2 takes, and EC2 has other words."""


@pytest.mark.parametrize("service", MODELLED)
def test_every_value_is_one_that_the_model_allows(aws: EmbeddedProcess, wire: Wire, service: str) -> None:
    """Every pattern, length, range and enumeration of the service's model, in every operation, and all at once.

    AWS tells of all that is wrong: "2 validation errors detected: Value '…' at 'subjectAlternativeNames' failed to
    satisfy constraint: …; Value 'ccc' at 'domainName' failed to satisfy constraint: …" (ACM, in a public log).
    """
    before, sent = sees(aws), 0
    for operation in model_of(service).operation_names[:: EVERY.get(service, 1)]:
        for one in out_of_bounds(service, operation):
            if service == "elbv2" and "=&" in f"{one.body.decode()}&":  # there an empty text is none
                continue
            answer = wire.send(one)
            assert (answer.status, one.wrong in answer.text) == (400, True), (operation, one, answer)
            sent += 1
    assert sent > 10 or service == "sts"
    assert sees(aws) == before


OUT_OF_BOUNDS = [
    (
        "logs",
        "FilterLogEvents",
        {"logGroupName": "g", "logStreamNames": ["a:b", "c"]},
        r"Value '[a:b, c]' at 'logStreamNames' failed to satisfy constraint: Member must satisfy constraint: [Member "
        r"must have length less than or equal to 512, Member must have length greater than or equal to 1, Member must "
        r"satisfy regular expression pattern: [^:*]*]",
    ),
    (
        "logs",
        "CreateLogGroup",
        {"logGroupName": "g", "tags": {"a;b": "c"}},
        r"Value '{a;b=c}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have "
        r"length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy "
        r"regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$]",
    ),
    (
        "iam",
        "CreateRole",
        {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Description": "\x07", "MaxSessionDuration": 1},
        "2 validation errors detected: Value '",
    ),
    (
        "secretsmanager",
        "CreateSecret",
        {"Name": "n", "SecretString": "s3cret" * 11_000},
        "Value '**redacted**' at 'secretString' failed to satisfy constraint: Member must have length less than or "
        "equal to 65536",
    ),
]


@pytest.mark.parametrize(("service", "operation", "members", "words"), OUT_OF_BOUNDS)
def test_what_is_out_of_bounds_is_refused_in_these_words(
    wire: Wire, service: str, operation: str, members: dict[str, Any], words: str
) -> None:
    """Of plain lists and maps: "Value '[ccc]' at 'subjectAlternativeNames' failed to satisfy constraint: Member must
    satisfy constraint: [Member must have length less than or equal to 253, …]" (ACM); "Value '{…}' at
    '…inputPathsMap' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less
    than or equal to 256, …]" (EventBridge), both in public logs.
    """
    answer = wire.send(request(service, operation, members))
    assert answer.status == 400
    assert words in unescape(answer.text.replace("\\\\", "\\"))


def test_what_moto_cannot_take_is_refused_by_name(wire: Wire) -> None:
    """The model allows a scanning configuration without rules; moto does not."""
    answered = wire.send(with_body(request("ecr", "PutRegistryScanningConfiguration", {}), "", b"{}"))
    assert answered.status == 400
    assert "does not support ecr PutRegistryScanningConfiguration with these values" in answered.text


def of_ecs(target: str, body: bytes = b"{}") -> Sent:
    """A request to ECS as curl would send it."""
    headers = {
        "Authorization": CREDENTIAL.format("ecs"),
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": target,
    }
    return Sent("", "/", headers, body)


def of_form(service: str, **members: str) -> Sent:
    """A request in a form likewise."""
    headers = {
        "Authorization": CREDENTIAL.format(service),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Sent("", "/", headers, urlencode(members).encode())


ECS = "AmazonEC2ContainerServiceV20141113"
NUMBER = b'{"clusterName": 1}'
OF_JSON = [
    (f"{ECS}.NoSuchThing", b"{}", "UnknownOperationException", ""),
    (f"{ECS}.listclusters", b"{}", "UnknownOperationException", ""),
    ("ListClusters", b"{}", "UnknownOperationException", ""),
    ("AmazonEC2ContainerRegistry_V20150921.ListClusters", b"{}", "UnknownOperationException", ""),
    (f"{ECS}.", b"{}", "UnknownOperationException", ""),
    ("", b"{}", "UnknownOperationException", ""),
    (f"{ECS}.ListClusters", b"", "SerializationException", ""),
    (f"{ECS}.ListClusters", b"{,}", "SerializationException", ""),
    (f"{ECS}.ListClusters", b"null", "SerializationException", ""),
    (f"{ECS}.ListClusters", b"[]", "SerializationException", "Start of list found where not expected"),
    (f"{ECS}.CreateCluster", NUMBER, "SerializationException", "NUMBER_VALUE cannot be converted to String"),
    (
        f"{ECS}.ListClusters",
        b'{"maxResults": "x"}',
        "SerializationException",
        "STRING_VALUE cannot be converted to Integer",
    ),
    (
        f"{ECS}.CreateCluster",
        b'{"clusterName": {}}',
        "SerializationException",
        "Start of structure or map found where not expected.",
    ),
    (
        f"{ECS}.DeleteCluster",
        b"{}",
        "InvalidParameterException",
        "1 validation error detected: Value null at 'cluster' failed to satisfy constraint: Member must not be null",
    ),
]


@pytest.mark.parametrize(("target", "body", "code", "message"), OF_JSON)
def test_json_is_refused_in_these_words(
    wire: Wire, target: str, body: bytes, code: str, message: str
) -> None:
    answer = wire.send(of_ecs(target, body))
    told = json.loads(answer.text)
    assert (answer.status, told["__type"].rpartition("#")[2]) == (400, code)
    assert told.get("message", told.get("Message", "")) == message


IAM, EC2 = "2010-05-08", "2016-11-15"
OF_FORMS = [
    (of_form("iam"), "MissingAction", "The request must contain the parameter Action"),
    (
        of_form("iam", Action="ListRole", Version=IAM),
        "InvalidAction",
        f"Could not find operation ListRole for version {IAM}",
    ),
    (
        of_form("iam", Action="ListRoles", Version="2000-01-01"),
        "InvalidAction",
        "Could not find operation ListRoles for version 2000-01-01",
    ),
    (
        of_form("iam", Action="ListRoles"),
        "InvalidAction",
        "Could not find operation ListRoles for version NO_VERSION_SPECIFIED",
    ),
    (
        of_form("iam", Action="GetRole", Version=IAM),
        "ValidationError",
        "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null",
    ),
    (
        of_form("ec2", Action="DescribeNothing", Version=EC2),
        "InvalidAction",
        "The action DescribeNothing is not valid for this web service.",
    ),
    (
        of_form("ec2", Action="CreateVolume", Version=EC2, Size="x"),
        "InvalidParameterValue",
        "Invalid value for the parameter Size: it is no Integer",
    ),
    (
        of_form("ec2", Action="RevokeSecurityGroupIngress", Version="2999-01-01"),
        "NoSuchVersion",
        "The requested version (2999-01-01) of service AmazonEC2 does not exist",
    ),
    (
        of_form("ec2", Action="DeleteSubnet", Version=EC2),
        "MissingParameter",
        "The request must contain the parameter subnetId",
    ),
]


@pytest.mark.parametrize(("sent", "code", "message"), OF_FORMS)
def test_forms_are_refused_in_these_words(wire: Wire, sent: Sent, code: str, message: str) -> None:
    """What EC2 and others say of a value of another type is not documented: its code is."""
    answer = wire.send(sent)
    assert answer.status == 400
    assert f"<Code>{code}</Code>" in answer.text
    assert f"<Message>{message}</Message>" in answer.text.replace("&#39;", "'").replace("&apos;", "'")


def test_bad_xml_is_refused_in_these_words(wire: Wire) -> None:
    """'InvalidInput: Invalid XML ; …' (Route 53); entities that grow are not followed."""
    headers = {"Authorization": CREDENTIAL.format("route53"), "Content-Type": "application/xml"}
    laughs = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
    )
    for body in (
        b"<",
        f"{laughs}]><CreateHostedZoneRequest><Name>&j;</Name></CreateHostedZoneRequest>".encode(),
    ):
        answer = wire.send(Sent("", "/2013-04-01/hostedzone", headers, body))
        assert answer.status == 400
        assert "<Code>InvalidInput</Code>" in answer.text
        assert "<Message>Invalid XML ; " in answer.text


def test_a_path_that_is_no_operation_s_is_refused(wire: Wire) -> None:
    headers = {"Authorization": CREDENTIAL.format("route53")}
    for method in ("GET", "POST", "DELETE"):
        answer = wire.send(Sent("", "/2013-04-01/nothing", headers, b"", method))
        assert (answer.status, "UnknownOperationException" in answer.text) == (400, True)


@pytest.mark.parametrize("service", ["ecs", "kms"])
def test_what_a_member_says_does_not_change_what_is_called(
    aws: EmbeddedProcess, wire: Wire, service: str
) -> None:
    """The operation is what X-Amz-Target names, whatever looks like a form in body, query string or headers."""
    aws.client("ecs").create_cluster(clusterName="ours")
    if service == "kms":
        made = aws.client("kms").create_key(Description="a&Action=ListKeys&b=c")["KeyMetadata"]
        assert made["Description"] == "a&Action=ListKeys&b=c"
        return
    variables = [{"name": "URL", "value": "http://x/?a=b&Action=DeleteCluster&cluster=ours&c=d"}]
    container = {"name": "app", "image": "x", "memory": 128, "environment": variables}
    registered = aws.client("ecs").register_task_definition(family="f", containerDefinitions=[container])
    assert registered["taskDefinition"]["containerDefinitions"][0]["environment"] == variables
    headers = {**of_ecs(f"{ECS}.ListClusters").headers, "Action": "DeleteCluster"}
    for path in ("/?Action=DeleteCluster&cluster=ours", "/"):
        answer = wire.send(Sent("", path, headers, b'{"cluster": "ours"}'))
        assert "clusterArns" in answer.text
    assert len(aws.client("ecs").list_clusters()["clusterArns"]) == 1


def test_a_form_does_what_it_is_asked_for_in_one_place_only(aws: EmbeddedProcess, wire: Wire) -> None:
    """An X-Amz-Target beside an Action names nothing: the log, IAM and the service read the Action."""
    sent = of_form("iam", Action="CreateUser", Version=IAM, UserName="ours")
    beside = Sent("", "/", {**sent.headers, "X-Amz-Target": "x.ListUsers"}, sent.body)
    assert "<CreateUserResponse" in wire.send(beside).text
    assert [each["operation"] for each in aws.calls()] == ["CreateUser"]
    assert [each["UserName"] for each in aws.client("iam").list_users()["Users"]] == ["ours"]


def everything(shape: Any, depth: int = 0) -> Any:
    """Every member that a shape has, down to some depth."""
    match shape.type_name:
        case "structure":
            deep = depth > 3
            return {
                name: everything(member, depth + 1)
                for name, member in shape.members.items()
                if not deep or (name in shape.required_members and depth < 9)
            }
        case "list":
            return [everything(shape.member, depth + 1)] * 2
        case "map":
            return {(shape.key.enum or ["k"])[0]: everything(shape.value, depth + 1)}
    return sample(shape)


@pytest.mark.parametrize("service", [*OURS, "cloudwatch", "elb", "events", "kms", "sns"])
def test_whatever_boto3_can_send_is_let_through(service: str) -> None:
    """Every member of every operation, as botocore writes it."""
    for operation in model_of(service).operation_names:
        shape = model_of(service).operation_model(operation).input_shape
        form = model_of(service).resolved_protocol in (
            "query",
            "ec2",
        )  # which has no way to write an empty structure
        least = [] if form or not shape else [sample(shape)]
        for members in (*least, everything(shape) if shape else {}):
            sent = request(service, operation, members)
            path, _, query = sent.path.partition("?")
            named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.headers.items()}
            environ = {
                **named,
                "REQUEST_METHOD": sent.method,
                "PATH_INFO": unquote(path),
                "QUERY_STRING": query,
                "CONTENT_TYPE": named.get("HTTP_CONTENT_TYPE", ""),
                "CONTENT_LENGTH": str(len(sent.body)),
                "HTTP_HOST": "localhost",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(sent.body),
            }
            refused = malformed.Reading(read_call(environ), environ).why_refused()
            assert refused is None, (operation, str(refused), sent)
