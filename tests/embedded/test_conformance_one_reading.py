"""What authorizes a call, logs it and carries it out is one and the same operation.

"The AWS query string is malformed or does not adhere to AWS standards" (InvalidQueryParameter, 400: "Common Errors" of
every service's API reference). "The type and subtype tokens are case-insensitive" (RFC 9110, 8.3.1); "a sender MUST NOT
generate multiple field lines with the same name" unless the field is a list (5.3). In the JSON protocols X-Amz-Target
names the operation, in the query protocols Action, in the REST protocols method and path (Smithy, 'AWS protocols').
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest

from tests.embedded.identities import allow, person, policy, trust
from tests.embedded.malformed_requests import Sent, Wire
from tests.embedded_process import EmbeddedProcess

FORM = "application/x-www-form-urlencoded"
LIST, DELETE = (
    {"Action": "ListRoles", "Version": "2010-05-08"},
    {"Action": "DeleteRole", "RoleName": "victim"},
)
CLUSTERS = "AmazonEC2ContainerServiceV20141113.CreateCluster"
READ_ONLY = ("iam:ListRoles", "ecs:ListClusters", "cloudfront:ListDistributions", "lambda:ListFunctions")


class Reader:
    """Somebody who may only read, with a connection of their own."""

    def __init__(self, aws: EmbeddedProcess) -> None:
        self.aws, self._wire = aws, Wire(aws.url)
        somebody = person(aws, "reader", json.loads(policy(allow(READ_ONLY))))
        self.key = somebody.credentials["aws_access_key_id"]

    def authorization(self, service: str, region: str = "us-east-2") -> str:
        """The header of their calls."""
        scope = f"{self.key}/20260101/{region}/{service}/aws4_request"
        return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"

    def sends(
        self, service: str, path: str, headers: Mapping[str, str], body: bytes, method: str = "POST"
    ) -> int:
        """The status of the answer."""
        given = {"Authorization": self.authorization(service), **headers}
        return self._wire.send(Sent("", path, given, body, method)).status

    def close(self) -> None:
        """End the connection."""
        self._wire.close()


@pytest.fixture
def reader(aws: EmbeddedProcess) -> Iterator[Reader]:
    with closing(Reader(aws)) as made:
        yield made


@pytest.fixture
def victim(aws: EmbeddedProcess) -> str:
    """A role."""
    aws.client("iam").create_role(
        RoleName="victim", AssumeRolePolicyDocument=trust({"Service": "ecs-tasks.amazonaws.com"})
    )
    return "victim"


def roles(aws: EmbeddedProcess) -> list[str]:
    return [each["RoleName"] for each in aws.client("iam").list_roles()["Roles"]]


def twice(*given: Mapping[str, str]) -> str:
    return "&".join(map(urlencode, given))


TWO_READINGS = [
    ("/", FORM, twice(DELETE, LIST)),
    ("/", FORM, twice(LIST, DELETE)),
    (f"/?{urlencode(LIST)}", FORM, urlencode(DELETE)),
    (f"/?{urlencode(DELETE)}", FORM, urlencode(LIST)),
    (f"/?{urlencode(LIST)}", FORM.upper(), urlencode(DELETE)),
    (f"/?{urlencode(LIST)}", f" {FORM} ; charset=utf-8", urlencode(DELETE)),
    ("/", FORM, twice(LIST, {"RoleName": "mine"}, {"RoleName": "victim"})),
]


@pytest.mark.parametrize(("path", "kind", "body"), TWO_READINGS)
def test_a_parameter_that_is_given_twice_is_refused(
    reader: Reader, victim: str, path: str, kind: str, body: str
) -> None:
    """In the body, in the query string, or in both; whatever the case of the body's type."""
    assert reader.sends("iam", path, {"Content-Type": kind}, body.encode()) == 400
    assert victim in roles(reader.aws)


ONE_READING = [
    ("/", FORM, urlencode(LIST | DELETE | {"Version": "2010-05-08"}), 403),
    ("/", FORM.upper(), urlencode(LIST | DELETE | {"Version": "2010-05-08"}), 403),
    ("/?Version=2010-05-08", FORM, urlencode(DELETE), 403),
    ("/", FORM.upper(), urlencode(LIST), 200),
    (f"/?{urlencode(LIST)}", "text/plain", urlencode(DELETE), 200),
    (f"/?{urlencode(LIST)}", "text/plain", "", 200),
]


@pytest.mark.parametrize(("path", "kind", "body", "status"), ONE_READING)
def test_what_is_authorized_is_carried_out(
    reader: Reader, victim: str, path: str, kind: str, body: str, status: int
) -> None:
    """A form is one in any case of its type, and a body of another type is none."""
    reader.aws.forget_calls()
    assert reader.sends("iam", path, {"Content-Type": kind}, body.encode()) == status
    [logged] = reader.aws.calls()
    assert logged["operation"] == ("ListRoles" if status == 200 else "DeleteRole")
    assert victim in roles(reader.aws)


def test_a_target_names_no_operation_of_a_query_or_rest_service(reader: Reader, victim: str) -> None:
    """Nor does an Action in the query string or in a body name one of a REST service."""
    target = {"X-Amz-Target": "X.ListRoles"}
    body = urlencode(DELETE | {"Version": "2010-05-08"}).encode()
    assert reader.sends("iam", "/", {**target, "Content-Type": FORM}, body) == 403
    reader.aws.forget_calls()
    oai = (
        b"<CloudFrontOriginAccessIdentityConfig><CallerReference>x</CallerReference>"
        b"<Comment>&amp;Action=ListDistributions&amp;</Comment></CloudFrontOriginAccessIdentityConfig>"
    )
    path = "/2020-05-31/origin-access-identity/cloudfront"
    for where, headers in (
        (path, {"X-Amz-Target": "X.ListDistributions"}),
        (f"{path}?Action=ListDistributions", {}),
    ):
        assert reader.sends("cloudfront", where, headers, oai) == 403
    function = "/2015-03-31/functions/x"
    for where in (function, f"{function}?Action=ListFunctions"):
        assert reader.sends("lambda", where, {"X-Amz-Target": "X.ListFunctions"}, b"", "DELETE") >= 400
    told = {each["operation"] for each in reader.aws.calls()}
    assert told == {"CreateCloudFrontOriginAccessIdentity", "DeleteFunction"}


def test_a_target_does_not_change_what_is_carried_out(aws: EmbeddedProcess) -> None:
    """Who may only delete an object's tags cannot delete the object: of a REST service, method, path and query string
    name the operation, whatever other header there is.
    """
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="box", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.put_object(Bucket="box", Key="k", Body=b"x", Tagging="a=b")
    tagger = person(aws, "tagger", json.loads(policy(allow("s3:DeleteObjectTagging"))))
    scope = f"{tagger.credentials['aws_access_key_id']}/20260101/us-east-2/s3/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "X.Y",
    }
    with closing(Wire(aws.url)) as wire:
        refused = wire.send(Sent("", "/box/k", headers, b"", "DELETE")).text
        assert "is not authorized to perform: s3:DeleteObject on" in refused
        assert wire.send(Sent("", "/box/k?tagging", headers, b"", "DELETE")).status == 204
    assert s3.get_object(Bucket="box", Key="k")["Body"].read() == b"x"
    assert s3.get_object_tagging(Bucket="box", Key="k")["TagSet"] == []


def test_the_query_string_of_a_rest_service_counts_beside_a_target(aws: EmbeddedProcess) -> None:
    """ "CreateDistributionWithTags: POST /2020-05-31/distribution?WithTags" (CloudFront), and lists have a MaxItems."""
    route53 = aws.client("route53")
    for name in ("a.io", "b.io"):
        route53.create_hosted_zone(Name=name, CallerReference=name)
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/route53/aws4_request, SignedHeaders=host",
        "X-Amz-Target": "X.Y",
    }
    with closing(Wire(aws.url)) as wire:
        answer = wire.send(Sent("", "/2013-04-01/hostedzone?maxitems=1", headers, b"", "GET"))
    assert (answer.status, answer.text.count("<HostedZone>")) == (200, 1)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_a_type_that_a_service_does_not_name_is_none(aws: EmbeddedProcess, kind: str) -> None:
    """What speaks only JSON 1.0 or 1.1, or the query protocol, reads X-Amz-Target or Action, whatever type of JSON a
    client names."""
    target = {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    for service, path, more, body in (
        ("ecs", "/", target, b"{}"),
        ("iam", f"/?{urlencode(LIST)}", {}, b""),
        ("lambda", "/2015-03-31/functions", {}, b""),
    ):
        scope = f"any/20260101/us-east-2/{service}/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": kind,
            **more,
        }
        with closing(Wire(aws.url)) as wire:
            answer = wire.send(Sent("", path, headers, body, "GET" if service == "lambda" else "POST"))
        assert answer.status == 200, (service, answer)


def test_an_action_in_the_text_of_a_body_is_text(aws: EmbeddedProcess) -> None:
    """Of JSON and of XML, also without a query string."""
    zone = aws.client("route53").create_hosted_zone(
        Name="a.io", CallerReference="1", HostedZoneConfig={"Comment": "&Action=ListHostedZones&WithTags=1&"}
    )
    assert zone["HostedZone"]["Config"]["Comment"] == "&Action=ListHostedZones&WithTags=1&"
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="s", SecretString="&Action=ListSecrets&")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "&Action=ListSecrets&"


def test_the_region_is_that_of_the_credentials(reader: Reader, aws: EmbeddedProcess) -> None:
    """ "The Region" is part of the credential scope (IAM User Guide, 'Elements of an AWS API request signature')."""
    aws.client("ecs", "us-east-2").create_cluster(clusterName="here")
    with closing(Wire(aws.url)) as wire:
        told = wire.send(
            Sent(
                "",
                "/",
                {
                    "Authorization": reader.authorization("ecs"),
                    "Content-Type": "APPLICATION/X-AMZ-JSON-1.1",
                    "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
                    "User-Agent": "region/eu-west-1",
                    "Host": "ecs.eu-west-1.amazonaws.com.localhost",
                    "X-Moto-Account-Id": "999999999999",
                },
                b"{}",
            )
        )
    assert json.loads(told.text) == {"clusterArns": ["arn:aws:ecs:us-east-2:123456789012:cluster/here"]}


ONCE = ("Host", "Authorization", "Content-Type", "X-Amz-Target", "X-Amz-Security-Token", "Content-Encoding")


def of_lines(fields: Mapping[str, str], *more: str) -> bytes:
    """A whole request to ECS with these fields, and more lines."""
    body = b"{}"
    lines = [f"{name}: {value}" for name, value in {**fields, "Content-Length": str(len(body))}.items()]
    return "\r\n".join(["POST / HTTP/1.1", *lines, *more, "Connection: close", "", ""]).encode() + body


@pytest.mark.parametrize("name", ONCE)
def test_a_field_of_one_value_is_given_once(aws: EmbeddedProcess, name: str) -> None:
    """The same request without the second field is answered."""
    fields = {
        "Host": urlsplit(aws.url).netloc,
        "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-2/ecs/aws4_request, SignedHeaders=host",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
        "X-Amz-Security-Token": "x",
        "Content-Encoding": "identity",
    }
    once, twice = of_lines(fields), of_lines(fields, f"{name.lower()}: {fields[name]}")
    answers = [answered(aws, sent) for sent in (once, twice)]
    assert answers[0].startswith(b"HTTP/1.1 200 ")
    assert answers[1].startswith(b"HTTP/1.1 400 ")
    assert name.lower() in answers[1].decode().lower(), answers[1]


def answered(aws: EmbeddedProcess, sent: bytes) -> bytes:
    """What comes back on a connection until its end."""
    at = urlsplit(aws.url)
    with socket.create_connection((at.hostname or "", at.port or 0)) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_of_two_credentials_the_first_counts(reader: Reader, victim: str) -> None:
    """To all who read them."""
    both = (
        f"{reader.authorization('iam')}, Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-2/iam/aws4_request"
    )
    body = urlencode(DELETE | {"Version": "2010-05-08"}).encode()
    assert reader.sends("iam", "/", {"Authorization": both, "Content-Type": FORM}, body) == 403
    assert victim in roles(reader.aws)


def test_a_parameter_of_a_rest_service_is_given_once(reader: Reader) -> None:
    """A list may have several values."""
    client = reader.aws.client("route53")
    client.create_hosted_zone(Name="a.io", CallerReference="1")
    at = "/2013-04-01/hostedzone?maxitems=1"
    with closing(Wire(reader.aws.url)) as wire:
        anybody = {"Authorization": reader.authorization("route53").replace(reader.key, "any")}
        assert wire.send(Sent("", at, anybody, b"", "GET")).status == 200
        assert wire.send(Sent("", f"{at}&maxitems=2", anybody, b"", "GET")).status == 400


PACKED = [
    (gzip.compress(b'{"clusterName": "packed"}'), 200),
    (b"{}", 400),
    (gzip.compress(b'{"clusterName": "packed"}')[:-9], 400),
    (None, 413),
]
"""Bodies, and the status of the answer; None is one that unpacks to 65 MiB, which is made where it is sent."""


@pytest.mark.parametrize(("body", "status"), PACKED, ids=["whole", "none", "cut", "too much"])
def test_a_packed_body_is_unpacked_for_all(aws: EmbeddedProcess, body: bytes | None, status: int) -> None:
    """ "Content-Encoding: gzip" (Smithy, requestCompression trait): what is no gzip is the client's fault."""
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-2/ecs/aws4_request, SignedHeaders=host",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": CLUSTERS,
        "Content-Encoding": "GZIP",
    }
    with closing(Wire(aws.url)) as wire:
        sent = gzip.compress(b" " * (65 * 1024**2), 1) if body is None else body
        assert wire.send(Sent("", "/", headers, sent)).status == status
    assert len(aws.client("ecs").list_clusters()["clusterArns"]) == (status == 200)
