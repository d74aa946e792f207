"""Requests through CloudFront to an internal load balancer, over TLS and real sockets.

Quotes are from the CloudFront Developer Guide unless they name another source; pages as in projects' issues.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.embedded.firewalls import SEEN, of_set, rule
from tests.embedded.fronted import CLOUDFRONT_ZONE, Fronted, certificate, with_alias
from tests.embedded.refusals import refused
from tests.embedded.sites import MEGABYTE, Site
from tests.embedded.zones import Zone, alias
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

ALIAS = "app.example.com"
EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
CLOUDFRONT_HEADERS = "33f36d7e-f396-46d9-90e0-52428a34d9dc"
GATEWAY_TIMEOUT = "We can't connect to the server for this app or website at this time."


class Edge(Fronted):
    """A distribution before the load balancer, and a site behind it."""

    def trust(self, folder: Path) -> None:
        """Let those who ask trust the authority; ``plain`` is the configuration at first."""
        self.plain = self.config(self.vpc_origin)
        self.ca = folder / "authority.pem"
        self.ca.write_text(self.authority)

    def ask(
        self, method: str = "GET", path: str = "/", scheme: str = "https", **more: Any
    ) -> requests.Response:
        """An answer of the distribution to somebody who trusts its authority; redirects are not followed."""
        return requests.request(
            method,
            f"{scheme}://{self.name}{path}",
            verify=str(self.ca),
            allow_redirects=False,
            timeout=PATIENCE,
            **more,
        )

    def put(self, config: dict[str, Any]) -> None:
        """UpdateDistribution, until it is deployed."""
        version = self.distribution(self.id)["ETag"]
        self.cloudfront.update_distribution(Id=self.id, IfMatch=version, DistributionConfig=config)
        self.await_deployed(self.id)

    def version_of_tls(self, newest: ssl.TLSVersion) -> str | None:
        """The version for a viewer of the alias who knows none newer; None where there is none for both."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.maximum_version = newest
        host, _, port = self.name.partition(":")
        with socket.create_connection((host, int(port))) as connection:
            try:
                with context.wrap_socket(connection, server_hostname=ALIAS) as secure:
                    return secure.version()
            except (ssl.SSLError, ConnectionError):
                return None

    def by_name(self, name: str) -> tuple[int, str]:
        """The status and the page of who resolves ``name`` to the distribution and trusts its authority."""
        context = ssl.create_default_context(cafile=str(self.ca))
        host, _, port = self.name.partition(":")
        connection = socket.create_connection((host, int(port)))
        with context.wrap_socket(connection, server_hostname=name) as secure:
            asked = http.client.HTTPSConnection(name)
            asked.sock = secure
            asked.request("GET", "/")
            answer = asked.getresponse()
            return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def made(rapid_process: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """One for all tests of this file."""
    rapid_process.reset()
    edge = Edge(rapid_process)
    edge.prepare()
    edge.trust(tmp_path_factory.mktemp("edge"))
    yield edge
    edge.close()
    rapid_process.reset()


@pytest.fixture
def edge(made: Edge) -> Iterator[Edge]:
    """The same, configured as it was at first."""
    made.site.seen.clear()
    made.site.release.clear()
    yield made
    made.aws.forgive()
    made.site.release.set()
    version = made.distribution(made.id)["ETag"]
    made.cloudfront.update_distribution(Id=made.id, IfMatch=version, DistributionConfig=made.plain)
    made.await_deployed(made.id)


@pytest.fixture
def site(edge: Edge) -> Site:
    """What is behind it."""
    return edge.site


def behaving(edge: Edge, **members: Any) -> dict[str, Any]:
    """The configuration with other members of the default behavior."""
    config = deepcopy(edge.plain)
    config["DefaultCacheBehavior"].update(members)
    return config


def reading(edge: Edge, seconds: int, attempts: int) -> dict[str, Any]:
    """The configuration with another OriginReadTimeout and ConnectionAttempts."""
    config = deepcopy(edge.plain)
    config["Origins"]["Items"][0]["ConnectionAttempts"] = attempts
    config["Origins"]["Items"][0]["VpcOriginConfig"]["OriginReadTimeout"] = seconds
    return config


def by_prefix_list(edge: Edge) -> list[dict[str, Any]]:
    """The rule that lets CloudFront's addresses in."""
    listed = [{"PrefixListId": edge.prefix_list()}]
    return [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": listed}]


# The way in


def test_the_page_is_served_with_a_certificate_of_the_authority(edge: Edge) -> None:
    """The distribution's own name has a certificate that viewers trust; here its authority is told by a control
    call."""
    answer = edge.ask()
    assert (answer.status_code, answer.text) == (200, "app")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{edge.name}/", timeout=PATIENCE)


def test_nobody_else_reaches_the_load_balancer(edge: Edge) -> None:
    """ "making CloudFront the single point of entry" ("Restrict access with VPC origins"): the load balancer is
    internal, and its group lets in CloudFront's addresses only. Packets are dropped."""
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(edge.url, timeout=0.5)


def test_a_name_of_the_service_leads_to_it(edge: Edge) -> None:
    """Distributions are called ``d….cloudfront.net``; a client that resolves that name to the door is served by it."""
    assert edge.by_name(f"d{edge.id[1:].lower()}.cloudfront.net") == (200, "app")


def test_plain_http_is_redirected(edge: Edge) -> None:
    """redirect-to-https: "CloudFront returns an HTTP status code of 301 (Moved Permanently) to the viewer along
    with the HTTPS URL" (model); 307 where DELETE, OPTIONS, PATCH, POST or PUT was sent ("Require HTTPS between
    viewers and CloudFront"), which keeps method and body."""
    answer = edge.ask(path="/a%20b?c=d", scheme="http")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{edge.name}/a%20b?c=d")
    assert (answer.headers["Server"], answer.headers["X-Cache"]) == ("CloudFront", "Redirect from cloudfront")
    assert "<center><h1>301 Moved Permanently</h1></center>\r\n<hr><center>CloudFront</center>" in answer.text
    assert edge.ask("POST", scheme="http", data="x").status_code == 307
    assert edge.site.seen == []


@pytest.mark.parametrize(("policy", "status"), [("allow-all", 200), ("https-only", 403)])
def test_other_viewer_protocol_policies(edge: Edge, policy: str, status: int) -> None:
    """https-only: "If a viewer sends an HTTP request, CloudFront returns an HTTP status code of 403 (Forbidden)";
    allow-all: "Viewers can use HTTP or HTTPS" (model)."""
    edge.put(behaving(edge, ViewerProtocolPolicy=policy))
    assert edge.ask(scheme="http").status_code == status
    assert edge.ask().status_code == 200


def test_a_new_distribution_answers_once_the_edges_know_it(edge: Edge) -> None:
    """Before, nothing takes the connection; that it answers before it is Deployed is what people report. A disabled
    one is no longer served, and the address of a deleted one is closed. The status of a disabled one is not
    verified."""
    new = edge.create(edge.config(edge.vpc_origin, "new"))
    url = f"http://{new['DomainName']}/"
    eventually(lambda: _status(url) == 301)
    edge.await_deployed(new["Id"])
    edge.update(new["Id"], Enabled=False)
    edge.await_deployed(new["Id"])
    assert _status(url) == 403
    edge.delete(new["Id"])
    eventually(lambda: _status(url) is None)


def _status(url: str) -> int | None:
    try:
        return requests.get(url, allow_redirects=False, timeout=PATIENCE).status_code
    except requests.ConnectionError:
        return None


# What the app sees


def test_the_request_as_the_app_sees_it(edge: Edge, site: Site) -> None:
    """AllViewer forwards all headers, cookies and query strings, Host too ("Use managed origin request policies").
    X-Forwarded-Proto and X-Real-IP of the viewer are removed ("HTTP request headers and CloudFront behavior"); the
    load balancer sets the first to its listener's own. X-Forwarded-For gets the viewer at its end, then the load
    balancer adds who came to it; Via and X-Amz-Cf-Id are CloudFront's. By HTTP/1.1."""
    sent = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Real-IP": "192.0.2.9",
        "Origin": f"https://{edge.name}",
        "Cookie": "a=1; AWSALB=x",
        "X-Own": "kept",
        "Via": "1.0 before",
    }
    assert edge.ask(path="/page?q=1&r=%20", headers=sent).status_code == 200
    [seen] = site.seen
    assert seen.path == "/page?q=1&r=%20"
    assert seen.header("Host") == edge.name
    assert seen.header("Origin") == f"https://{edge.name}"
    assert seen.header("X-Forwarded-For") == "192.0.2.1, 127.0.0.1, 127.0.0.1"
    assert (seen.header("X-Forwarded-Proto"), seen.header("X-Forwarded-Port")) == ("http", "80")
    assert (seen.header("X-Real-IP"), seen.header("X-Own")) == (None, "kept")
    assert seen.header("Cookie") == "a=1; AWSALB=x"
    via = str(seen.header("Via"))
    assert via.startswith("1.0 before, 1.1 ")
    assert via.endswith(".cloudfront.net (CloudFront)")
    assert len(str(seen.header("X-Amz-Cf-Id"))) == 56


def test_the_host_is_the_origins_where_the_policy_leaves_it_out(edge: Edge, site: Site) -> None:
    """AllViewerExceptHostHeader forwards all but the Host header; it is then the origin's domain name."""
    edge.put(behaving(edge, OriginRequestPolicyId=EXCEPT_HOST))
    edge.ask(headers={"X-Own": "kept"})
    assert (site.seen[-1].header("Host"), site.seen[-1].header("X-Own")) == (edge.host, "kept")


def test_cloudfronts_own_headers_are_asked_for_by_a_policy(edge: Edge, site: Site) -> None:
    """AllViewerAndCloudFrontHeaders-2022-06: CloudFront-Forwarded-Proto is the viewer's protocol, CloudFront-
    Viewer-Address the viewer's address and port. Viewers cannot send them."""
    edge.ask(headers={"CloudFront-Forwarded-Proto": "mine"})
    assert site.seen[-1].header("CloudFront-Forwarded-Proto") is None
    edge.put(behaving(edge, OriginRequestPolicyId=CLOUDFRONT_HEADERS))
    edge.ask(headers={"CloudFront-Forwarded-Proto": "mine"})
    assert site.seen[-1].header("CloudFront-Forwarded-Proto") == "https"
    assert str(site.seen[-1].header("CloudFront-Viewer-Address")).startswith("127.0.0.1:")
    assert site.seen[-1].header("Host") == edge.name


def test_without_a_policy_little_goes_on(edge: Edge, site: Site) -> None:
    """Neither cookies nor query strings nor the viewer's headers go on without an origin request policy where
    nothing is cached; User-Agent is then "Amazon CloudFront" ("User-Agent header")."""
    config = behaving(edge)
    del config["DefaultCacheBehavior"]["OriginRequestPolicyId"]
    edge.put(config)
    edge.ask(path="/page?q=1", headers={"X-Own": "lost", "Cookie": "a=1", "User-Agent": "mine"})
    seen = site.seen[-1]
    assert (seen.path, seen.header("Host")) == ("/page", edge.host)
    assert (seen.header("X-Own"), seen.header("Cookie")) == (None, None)
    assert seen.header("User-Agent") == "Amazon CloudFront"


def test_an_origin_has_a_path_and_headers_of_its_own(edge: Edge, site: Site) -> None:
    """OriginPath: "An optional path that CloudFront appends to the origin domain name" (model); CustomHeaders: also
    over what the viewer sends ("Add custom headers to origin requests")."""
    config = deepcopy(edge.plain)
    headers = {"Quantity": 1, "Items": [{"HeaderName": "X-Secret", "HeaderValue": "from CloudFront"}]}
    config["Origins"]["Items"][0].update(OriginPath="/below", CustomHeaders=headers)
    edge.put(config)
    edge.ask(path="/page", headers={"X-Secret": "from the viewer"})
    assert site.seen[-1].path == "/below/page"
    assert [value for name, value in site.seen[-1].headers if name.lower() == "x-secret"] == [
        "from CloudFront"
    ]


def test_what_cloudfront_adds_to_responses(edge: Edge) -> None:
    """caddyserver/caddy, issue 7445, has such a head: x-cache, via, x-amz-cf-pop, x-amz-cf-id; the origin's Server
    stays."""
    answer = edge.ask()
    assert (answer.headers["X-Cache"], answer.headers["Server"]) == ("Miss from cloudfront", "site")
    assert answer.headers["Via"].endswith(".cloudfront.net (CloudFront)")
    assert answer.headers["X-Amz-Cf-Pop"]
    assert len(answer.headers["X-Amz-Cf-Id"]) == 56
    edge.site.release.set()
    missing = edge.ask("DELETE", "/ws")
    assert (missing.status_code, missing.headers["X-Cache"]) == (400, "Error from cloudfront")


def test_cookies_of_stickiness_pass(edge: Edge) -> None:
    """With all cookies forwarded and nothing cached AWSALB passes both ways."""
    edge.set_group(stickiness__enabled="true")
    eventually(lambda: "AWSALB" in edge.ask().cookies)
    edge.ask(cookies=edge.ask().cookies)
    assert "AWSALB=" in str(edge.site.seen[-1].header("Cookie"))
    edge.set_group(stickiness__enabled="false")


def test_large_bodies_pass_both_ways(edge: Edge) -> None:
    """PUT and POST are passed on as they come, with and without a length; 20 MB is nothing ("Quotas": 20 GB and
    more)."""
    body = bytes(range(256)) * (20 * MEGABYTE // 256)
    answer = edge.ask("POST", "/upload", data=body)
    assert answer.json() == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    chunks = edge.ask("PUT", "/upload", data=iter([b"one", b"two"]))
    assert chunks.json()["length"] == 6
    assert len(edge.ask(path="/download?megabytes=20").content) == 20 * MEGABYTE


def test_a_response_is_passed_on_as_it_comes(edge: Edge, site: Site) -> None:
    """Chunked responses are sent to the viewer while they come from the origin."""
    with edge.ask(path="/events", stream=True) as answer:
        lines = answer.iter_lines()
        assert next(lines) == b"data: first"
        site.release.set()
        assert b"data: second" in list(lines)


# What CloudFront answers by itself


def test_the_pages_of_errors(edge: Edge) -> None:
    """The page of 504 in dyatko/arkit, issue 848, and fedora-copr/copr, issue 4345; with the request's id, which is
    also in the head."""
    edge.ec2.revoke_security_group_ingress(GroupId=edge.guarded, IpPermissions=by_prefix_list(edge))
    answer = edge.ask()
    edge.let_cloudfront_in()
    assert answer.status_code == 504
    assert "<H1>504 Gateway Timeout ERROR</H1>\n<H2>The request could not be satisfied.</H2>" in answer.text
    assert GATEWAY_TIMEOUT in answer.text
    assert f"Request ID: {answer.headers['X-Amz-Cf-Id']}" in answer.text
    assert (answer.headers["Server"], answer.headers["X-Cache"]) == ("CloudFront", "Error from cloudfront")
    assert answer.headers["Content-Type"] == "text/html"


def test_a_missing_rule_is_504_and_the_service_group_is_enough(edge: Edge, site: Site) -> None:
    """Without a rule each request is 504 after the attempts to connect, and the load balancer sees nothing of it
    (three projects). CloudFront's own group is enough, so that the rule for the prefix list may go ("Restrict
    access with VPC origins"). A rule for the addresses of the VPC does not let CloudFront in (three projects)."""
    eventually(lambda: edge.ask().status_code == 200)
    site.seen.clear()
    edge.ec2.revoke_security_group_ingress(GroupId=edge.guarded, IpPermissions=by_prefix_list(edge))
    edge.allow(edge.guarded, 80, CidrIp="172.31.0.0/16")
    assert edge.ask().status_code == 504
    assert site.seen == []
    group = edge.service_group()
    assert group
    edge.allow_from(edge.guarded, group, 80)
    assert edge.ask().status_code == 200
    edge.let_cloudfront_in()


def test_vpc_block_public_access_blocks_vpc_origins(edge: Edge) -> None:
    """VPC User Guide, "VPC Block Public Access basics": traffic of CloudFront VPC origins is blocked, too. Nothing
    is refused when it is configured: requests are 504."""
    edge.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    assert edge.ask().status_code == 504
    edge.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="off")
    assert edge.ask().status_code == 200


@pytest.mark.parametrize("ports", [{"HTTPSPort": 80}, {}])
@pytest.mark.parametrize("policy", ["https-only", "match-viewer"])
def test_a_protocol_that_does_not_fit_is_502(edge: Edge, policy: str, ports: dict[str, int]) -> None:
    """match-viewer and https-only go to HTTPSPort; an HTTP listener there fails the negotiation, and where none
    listens nothing connects: "An HTTP 502 status code (Bad Gateway) indicates that CloudFront wasn't able to serve
    the requested object because it couldn't connect to the origin server", "SSL/TLS negotiation failure between
    CloudFront and a custom origin server", "Origin is not responding on specified ports"."""
    edge.allow(edge.guarded, 443, CidrIp="0.0.0.0/0")
    name = f"{policy}-{len(ports)}"
    other = edge.make_origin(name, policy=policy, **ports)
    edge.put(edge.config(other))
    answer = edge.ask()
    revoked = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    edge.ec2.revoke_security_group_ingress(GroupId=edge.guarded, IpPermissions=revoked)
    assert answer.status_code == 502
    assert "<H1>502 Bad Gateway ERROR</H1>" in answer.text
    assert "CloudFront wasn't able to connect to the origin." in answer.text


def test_an_origin_that_closes_is_502(edge: Edge, site: Site) -> None:
    """What the load balancer answers by itself passes: its own 502, with its own page."""
    answer = edge.ask(path="/die")
    assert (answer.status_code, answer.headers["Server"]) == (502, "awselb/2.0")


# Custom error pages


def with_pages(edge: Edge, *pages: tuple[int, str, int], **members: Any) -> dict[str, Any]:
    """The configuration with custom error pages: the origin's status, the path, and the status for viewers."""
    items = [
        {"ErrorCode": error, "ResponsePagePath": path, "ResponseCode": str(code), "ErrorCachingMinTTL": 10}
        for error, path, code in pages
    ]
    return {**edge.plain, **members, "CustomErrorResponses": {"Quantity": len(items), "Items": items}}


@pytest.mark.parametrize("code", [200, 502, 404])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_error_of_the_origin_has_a_custom_page(edge: Edge, site: Site, method: str, code: int) -> None:
    """ "CloudFront checks your distribution configuration and gets the path of the custom error page that corresponds
    with the status code that your origin returned", "sends a request for the custom error page to the origin", and
    "returns the custom error page to the viewer" ("How CloudFront processes errors when you have configured custom
    error pages"); "you might want CloudFront to return a custom error page and a 200 status code (OK) to the viewer"
    ("Change response codes returned by CloudFront"). Of every method and behavior (aws-samples/
    sample-collaborative-ai-dlc, issue 186). X-Cache tells of the origin's answer, as ``x-edge-result-type`` in logs
    does, which "is not affected"; that X-Cache does is not verified."""
    edge.put(with_pages(edge, (502, "/sorry", code)))
    answer = edge.ask(method, path="/die", **({"data": "x"} if method == "POST" else {}))
    assert (answer.status_code, answer.headers["Server"], answer.headers["X-Cache"]) == (
        code,
        "site",
        "Error from cloudfront",
    )
    assert answer.text == ("" if method == "HEAD" else "app")
    *before, page = [(one.method, one.path) for one in site.seen]
    assert set(before) == {(method, "/die")}  # the load balancer may ask twice
    assert page == ("HEAD" if method == "HEAD" else "GET", "/sorry")
    assert site.seen[-1].header("Content-Length") is None
    assert edge.ask().headers["X-Cache"] == "Miss from cloudfront"


def test_errors_and_their_pages_are_not_cached(edge: Edge, site: Site) -> None:
    """ "If you're using the CachingDisabled managed cache policy, CloudFront won't cache these status codes or custom
    error pages." """
    edge.put(with_pages(edge, (502, "/sorry", 200)))
    assert [edge.ask(path="/die").status_code for _ in range(2)] == [200, 200]
    assert [one.path for one in site.seen if one.path == "/sorry"] == ["/sorry"] * 2


def test_an_origin_that_does_not_answer_has_the_page_of_504(edge: Edge, site: Site) -> None:
    """ "If the origin doesn't respond, the CloudFront request to the origin times out which is considered an HTTP 5xx
    error from the origin, even though the origin didn't respond with that error." """
    slow = reading(edge, 1, 1)
    edge.put({**slow, "CustomErrorResponses": with_pages(edge, (504, "/sorry", 200))["CustomErrorResponses"]})
    answer = edge.ask(path="/wait")
    assert (answer.status_code, answer.text) == (200, "app")
    assert [one.path for one in site.seen] == ["/wait", "/sorry"]


def test_a_page_that_is_not_available_has_its_own_status(edge: Edge, site: Site) -> None:
    """ "If you configure CloudFront to return a custom error page for an HTTP status code but the custom error page
    isn't available, CloudFront returns to the viewer the status code that CloudFront received from the origin that
    contains the custom error pages." """
    edge.put(with_pages(edge, (502, "/health", 200)))
    site.health = 404
    try:
        assert edge.ask(path="/die").status_code == 404
    finally:
        site.health = 200
    edge.put(with_pages(edge, (504, "/sorry", 200)))
    edge.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    answer = edge.ask()
    edge.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="off")
    assert (answer.status_code, answer.headers["Server"]) == (504, "CloudFront")


def test_a_page_is_where_the_behavior_of_its_path_leads(edge: Edge, site: Site) -> None:
    """ "CloudFront finds the first cache behavior in your distribution that has a path pattern that matches the path of
    the custom error page", and asks "the origin that is specified in the cache behavior"."""
    config = with_pages(edge, (502, "/errors/502.html", 502))
    other = {**deepcopy(config["Origins"]["Items"][0]), "Id": "errors", "OriginPath": "/static"}
    behavior = {**deepcopy(config["DefaultCacheBehavior"]), "TargetOriginId": "errors"}
    config["Origins"] = {"Quantity": 2, "Items": [*config["Origins"]["Items"], other]}
    config["CacheBehaviors"] = {"Quantity": 1, "Items": [{**behavior, "PathPattern": "/errors/*"}]}
    edge.put(config)
    assert edge.ask(path="/die?x=1").status_code == 502
    assert [one.path for one in site.seen if one.path != "/die?x=1"] == ["/static/errors/502.html"]


def test_who_is_blocked_gets_the_page_of_403(edge: Edge, site: Site) -> None:
    """ "You can optionally configure CloudFront to return a custom error message to the user" ("Restrict the geographic
    distribution of your content"). "CloudFront can't distinguish between an HTTP status code 403 that is returned by
    your origin and one that is returned by AWS WAF when a request is blocked" (AWS WAF Developer Guide, "Using AWS WAF
    with CloudFront custom error pages")."""
    restriction = {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["DE"]}}
    edge.put(with_pages(edge, (403, "/sorry", 200), Restrictions=restriction))
    edge.aws.order({"viewer_country": "DE"})
    answer = edge.ask()
    assert (answer.status_code, answer.headers["X-Cache"]) == (200, "Error from cloudfront")
    assert [one.path for one in site.seen] == ["/sorry"]


def test_a_silent_get_is_sent_again_and_a_post_is_not(edge: Edge, site: Site) -> None:
    """ConnectionAttempts "also specifies the number of times that CloudFront attempts to get a response from the
    origin, in the case of an Origin Response Timeout" (model); of GET and HEAD only ("Response timeout"). Then
    504."""
    edge.put(reading(edge, 1, 2))
    answer = edge.ask(path="/wait")
    assert (answer.status_code, [one.path for one in site.seen]) == (504, ["/wait", "/wait"])
    site.seen.clear()
    assert edge.ask("POST", "/wait", data="x").status_code == 504
    assert [one.method for one in site.seen] == ["POST"]


def test_a_method_that_is_not_allowed_is_403(edge: Edge, site: Site) -> None:
    """serverless-nextjs, issue 454, has the page."""
    few = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    edge.put(behaving(edge, AllowedMethods={**few, "CachedMethods": few}))
    answer = edge.ask("POST", data="x")
    assert answer.status_code == 403
    assert "This distribution is not configured to allow the HTTP request method" in answer.text
    assert site.seen == []


def test_a_get_with_a_body_is_403(edge: Edge, site: Site) -> None:
    """ "If a viewer GET request includes a body, CloudFront returns an HTTP status code 403 (Forbidden) to the
    viewer." """
    assert edge.ask(data="x").status_code == 403
    assert site.seen == []


def test_requests_have_a_largest_size(edge: Edge, site: Site) -> None:
    """ "Quotas": a URL of 8,192 bytes, 20,480 bytes of request line and headers (else 413, "Maximum length of a
    request and maximum length of a URL"). 414 for the URL is not verified."""
    assert edge.ask(path=f"/{'x' * 8100}").status_code == 200  # the site takes lines of 8190
    assert edge.ask(path=f"/{'x' * 8192}").status_code == 414
    fits = {f"X-{number}": "x" * 6_600 for number in range(3)}
    assert edge.ask(headers=fits).status_code == 200
    for long in ({"X-0": "x" * 20_480}, dict.fromkeys(fits, "x" * 6900)):
        assert edge.ask(headers=long).status_code == 413
    assert len(site.seen) == 2


def test_what_is_not_http_is_400(edge: Edge) -> None:
    """As all pages that CloudFront answers by itself."""
    host, _, port = edge.name.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"no request\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.split()[1] == b"400", answer
    assert b"Server: CloudFront\r\n" in answer


@pytest.mark.parametrize(
    ("kind", "country", "status"),
    [
        ("blacklist", "DE", 403),
        ("blacklist", "FR", 200),
        ("whitelist", "DE", 200),
        ("whitelist", "FR", 403),
        ("whitelist", None, 200),
    ],
)
def test_a_geographic_restriction_blocks_by_the_viewers_country(
    edge: Edge, kind: str, country: str | None, status: int
) -> None:
    """``blacklist``: the countries in which CloudFront does not distribute, ``whitelist``: those in which it does
    (model, "GeoRestriction"); 403 with this sentence and ``Server: CloudFront`` (re:Post Knowledge Center, "How do I
    troubleshoot 403 errors from CloudFront?"). "If CloudFront can't determine a user's location, CloudFront serves the
    content that the user has requested" (Developer Guide, "Restrict the geographic distribution of your content")."""
    restriction = {"RestrictionType": kind, "Quantity": 1, "Items": ["DE"]}
    edge.put({**edge.plain, "Restrictions": {"GeoRestriction": restriction}})
    edge.aws.order(*([{"viewer_country": country}] if country else []))
    answer = edge.ask()
    edge.aws.forgive()
    assert answer.status_code == status
    if status == 403:
        sentence = "The Amazon CloudFront distribution is configured to block access from your country."
        assert sentence in answer.text
        assert (answer.headers["Server"], answer.headers["X-Cache"]) == (
            "CloudFront",
            "Error from cloudfront",
        )


def test_a_web_acl_blocks_by_the_viewers_address(edge: Edge, site: Site) -> None:
    """A web ACL of scope CLOUDFRONT: what it blocks is 403, "Request blocked."; it sees the viewer, which one on
    the load balancer does not."""
    waf = edge.aws.client("wafv2", "us-east-1")
    asked = {"Scope": "CLOUDFRONT", "IPAddressVersion": "IPV4", "Addresses": ["127.0.0.0/8"]}
    addresses = waf.create_ip_set(Name="viewers", **asked)["Summary"]["ARN"]
    acl = waf.create_web_acl(
        Name="edge",
        Scope="CLOUDFRONT",
        DefaultAction={"Allow": {}},
        Rules=[rule(of_set(addresses))],
        VisibilityConfig=SEEN,
    )["Summary"]
    edge.put({**edge.plain, "WebACLId": acl["ARN"]})
    answer = edge.ask()
    assert (answer.status_code, "Request blocked." in answer.text, site.seen) == (403, True, [])


def test_a_web_acl_that_blocks_by_default_lets_in_whom_a_rule_allows(edge: Edge, site: Site) -> None:
    """DefaultAction: "The action to perform if none of the Rules contained in the WebACL match" (WAFV2 API Reference,
    "WebACL"). A change of an IP set applies to the distribution at once (liberty: AWS speaks of seconds to minutes)."""
    waf = edge.aws.client("wafv2", "us-east-1")
    asked = {"Scope": "CLOUDFRONT", "IPAddressVersion": "IPV4", "Addresses": ["203.0.113.0/24"]}
    allowed = waf.create_ip_set(Name="allowed", **asked)["Summary"]
    acl = waf.create_web_acl(
        Name="closed",
        Scope="CLOUDFRONT",
        DefaultAction={"Block": {}},
        Rules=[rule(of_set(allowed["ARN"]), "Allow")],
        VisibilityConfig=SEEN,
    )["Summary"]
    edge.put({**edge.plain, "WebACLId": acl["ARN"]})
    answer = edge.ask()
    assert (answer.status_code, answer.headers["Server"], site.seen) == (403, "CloudFront", [])
    named = {"Name": "allowed", "Scope": "CLOUDFRONT", "Id": allowed["Id"], "LockToken": allowed["LockToken"]}
    waf.update_ip_set(**named, Addresses=["203.0.113.0/24", "127.0.0.0/8"])
    assert edge.ask().status_code == 200


def test_behaviors_are_tried_by_their_path_patterns(edge: Edge, site: Site) -> None:
    """ "Path pattern": the first that matches counts, the default behavior last."""
    few = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    other = {
        **edge.plain["DefaultCacheBehavior"],
        "PathPattern": "/static/*",
        "AllowedMethods": {**few, "CachedMethods": few},
    }
    edge.put({**edge.plain, "CacheBehaviors": {"Quantity": 1, "Items": [other]}})
    assert edge.ask("POST", "/static/a.js", data="x").status_code == 403
    assert edge.ask("POST", "/other", data="x").status_code == 200


# An own domain


def test_an_alias_is_served_with_its_certificate(edge: Edge) -> None:
    """ "Use custom URLs": by server name (SNI) with the certificate for it. Who is sent here for a name that is
    none of the distribution's gets 403, "Bad request."; for a name without a certificate the viewer ends the
    handshake."""
    arn = certificate(edge, ALIAS)
    with pytest.raises(ssl.SSLCertVerificationError):
        edge.by_name(ALIAS)
    edge.put(with_alias(edge.plain, ALIAS, arn))
    assert edge.by_name(ALIAS) == (200, "app")
    assert edge.site.seen[-1].header("Host") == ALIAS
    assert edge.ask().status_code == 200
    for name in ("other.example.com", "127.evil.example"):
        other = edge.ask(headers={"Host": name})
        assert (other.status_code, "Bad request." in other.text) == (403, True)


@pytest.mark.parametrize(("policy", "version"), [("TLSv1.2_2021", "TLSv1.2"), ("TLSv1.3_2025", None)])
def test_the_security_policy_has_an_oldest_version_of_tls(
    edge: Edge, policy: str, version: str | None
) -> None:
    """ "Supported protocols and ciphers between viewers and CloudFront": TLSv1.2_2021 supports TLS 1.2 and 1.3,
    TLSv1.3_2025 only TLS 1.3."""
    config = with_alias(edge.plain, ALIAS, certificate(edge, ALIAS))
    config["ViewerCertificate"]["MinimumProtocolVersion"] = policy
    edge.put(config)
    assert edge.version_of_tls(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert edge.version_of_tls(ssl.TLSVersion.TLSv1_2) == version


def test_the_security_policy_of_sni_is_not_older_than_tls(edge: Edge) -> None:
    """MinimumProtocolVersion: "When you're using SNI only (you set SSLSupportMethod to sni-only), you must specify
    TLSv1 or higher"; InvalidMinimumProtocolVersion (model). That this is its code is not verified."""
    config = with_alias(edge.plain, ALIAS, certificate(edge, ALIAS))
    config["ViewerCertificate"]["MinimumProtocolVersion"] = "SSLv3"
    with pytest.raises(ClientError, match="InvalidMinimumProtocolVersion"):
        edge.put(config)


def test_https_to_the_origin_needs_a_certificate_for_the_host(edge: Edge) -> None:
    """ "Origin domain": the origin's certificate has to cover the domain name, or, where Host is forwarded, the
    Host; CloudFront drops the connection of an invalid or self-signed one ("Protocols") and answers 502."""
    shown = certificate(edge, ALIAS, "us-east-2")
    edge.listen(443, edge.forward(edge.target_group), "HTTPS", Certificates=[{"CertificateArn": shown}])
    edge.allow(edge.guarded, 443, CidrIp="0.0.0.0/0")
    other = edge.make_origin("secure", policy="https-only")
    edge.put(with_alias(edge.config(other), ALIAS, certificate(edge, ALIAS)))
    status, _ = edge.by_name(ALIAS)
    seen = edge.site.seen[-1]
    assert (status, seen.header("Host"), seen.header("X-Forwarded-Proto")) == (200, ALIAS, "https")
    assert edge.ask().status_code == 502


def test_an_alias_record_leads_to_a_distribution(edge: Edge) -> None:
    """Route 53 API Reference, "AliasTarget": the zone of all distributions is Z2FDTNDATAQYW2; "You can't set
    EvaluateTargetHealth to true when the alias target is a CloudFront distribution."; "Your CloudFront distribution
    must include an alternate domain name that matches the name of the resource record set."; "You can't create a
    resource record set in a private hosted zone to route traffic to a CloudFront distribution." Type A, and AAAA "If
    IPv6 is enabled for the distribution". The texts are not verified, nor that Route 53 looks for the alternate
    domain name."""
    zone = Zone(edge.aws)
    private = Zone(
        edge.aws,
        VPC={"VPCRegion": "us-east-2", "VPCId": edge.vpc},
        HostedZoneConfig={"PrivateZone": True},
    )
    record = alias(ALIAS, edge.name, CLOUDFRONT_ZONE)
    with refused("InvalidChangeBatch", "no alternate domain name"):
        zone.create(record)
    edge.put(with_alias(edge.plain, ALIAS, certificate(edge, ALIAS)))
    with refused("InvalidChangeBatch", "EvaluateTargetHealth"):
        zone.create(alias(ALIAS, edge.name, CLOUDFRONT_ZONE, healthy=True))
    with refused("InvalidChangeBatch", "that target was not found"):
        zone.create(alias(ALIAS, "d111111abcdef8.cloudfront.net", CLOUDFRONT_ZONE))
    with refused("InvalidChangeBatch", "private hosted zone"):
        private.create(record)
    zone.settle(record, {**record, "Type": "AAAA"})
    assert zone.ask(ALIAS) == zone.ask(ALIAS, "AAAA") == [edge.name]
    assert edge.by_name(ALIAS) == (200, "app")


def test_a_switch_to_another_origin_fails_no_request(edge: Edge) -> None:
    """ "Update a distribution": the edges serve the old configuration until they know the new one, and the address
    stays."""
    other = edge.make_origin("second")
    version = edge.distribution(edge.id)["ETag"]
    config = edge.config(other)
    edge.cloudfront.update_distribution(Id=edge.id, IfMatch=version, DistributionConfig=config)
    statuses = set()
    while edge.distribution(edge.id)["Status"] != "Deployed":
        statuses.add(edge.ask().status_code)
    statuses.add(edge.ask().status_code)
    assert statuses == {200}
