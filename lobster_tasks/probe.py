"""Probes the app as visitors reach it, through the load balancer or the distribution in front of it: requests a page
and makes a WebSocket handshake.

Target health is the load balancer's view; this is a visitor's. Temporary failures are retried: a name that DNS does
not resolve yet, a refused connection, 502, 503 and 504.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from .account import Front, covers_port, find_authority, find_front, find_target_group, hidden_errors
from .aws import Aws
from .clock import Clock
from .errors import AwsCallError
from .forwarding import BEFORE, MAYBE_BEFORE, SHARED, SIGNED_IN, TOKEN, ForwardingRule, best_forwarding_rule
from .http_client import Client, is_by_cloudfront, is_error_page, says_error, trusting, unverified
from .in_parallel import in_parallel
from .settings import Settings

ANSWER_WITHIN_SECONDS = 10.0
# The name of a new load balancer takes about a minute to reach the resolvers.
REACHABLE_WITHIN_SECONDS = 180.0
# Where the load balancer admits only some sources, an answer may never come.
_PRIVATE_WITHIN_SECONDS = 30.0
_BETWEEN_SECONDS = 2.0
_EVERYBODY = "0.0.0.0/0"
# The members of an IpPermission with its sources, and the key that identifies a source.
_SOURCES = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
_STREAMLIT_PATH = "/_stcore/stream"
_STREAMLIT_PROTOCOL = "streamlit"
_PASSING_STATUSES = frozenset({502, 503, 504})
PAGE_STATUSES = frozenset({*range(200, 400), 401})
_CHUNK = 4096
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Answer:
    """One answer; ``said`` describes it. ``reached`` is false where nothing answered at all.

    ``by_cloudfront`` is true for CloudFront's own errors, where no server behind it has answered. ``is_error_page`` is
    true for a custom error page of the distribution, whose status may be another one than that of the error.
    """

    ok: bool
    said: str
    status: int | None = None
    milliseconds: float | None = None
    passing: bool = False
    reached: bool = True
    by_cloudfront: bool = False
    is_error_page: bool = False

    @property
    def unanswered_by_origin(self) -> bool:
        """Whether CloudFront waited in vain for the load balancer: its own 504."""
        return self.by_cloudfront and self.status == 504


@dataclass(frozen=True)
class Probe:
    """The answers at ``url``."""

    url: str
    page: Answer
    websocket: Answer | None = None

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers to the requests that were made."""
        return (self.page,) if self.websocket is None else (self.page, self.websocket)

    @property
    def ok(self) -> bool:
        """Whether every answer was as expected."""
        return all(answer.ok for answer in self.answers)


# Why a plain request does not reach the app, by what the rule wants.
_NOT_PLAIN = {
    BEFORE: "an earlier rule of the listener takes the same requests",
    MAYBE_BEFORE: "not known: an earlier rule with a regular expression may take the same requests",
    SHARED: "the rule forwards requests to other target groups too, so another app may answer",
    TOKEN: "the rule forwards only requests with a valid token (jwt-validation)",
    SIGNED_IN: "the rule refuses visitors who have not signed in (OnUnauthenticatedRequest: deny)",
}


@dataclass(frozen=True)
class PublicEndpoint:
    """The address at which visitors reach the app.

    ``internal`` is true for an internal load balancer without a distribution, which is not reachable from everywhere.

    ``allowed_sources`` are the sources that its security groups allow, empty where they allow everybody;
    ``unread_sources`` is why that is not known, empty where it is.

    ``name`` is the visitors' host name, where it is not in the URL; ``checked`` is whether the certificate must be
    valid for it. ``rule`` is the rule that forwards to the app, None where all requests are forwarded.
    ``sign_in`` is the URL to which visitors are redirected to sign in, empty where the app is open to them.
    ``load_balancer`` is the ARN of the load balancer, empty where the address belongs to none. ``distribution`` is the
    one in front of it, as GetDistribution returns it, where visitors use CloudFront. ``authority`` (PEM) is trusted
    instead of this machine's own. ``front`` is what was found of CloudFront; None where it was not looked for.
    ``dns_name`` is the DNS name of the distribution, or of the load balancer without one.
    """

    url: str
    internal: bool = False
    name: str = ""
    checked: bool = False
    rule: ForwardingRule | None = None
    allowed_sources: tuple[str, ...] = ()
    unread_sources: str = ""
    load_balancer: str = ""
    distribution: Mapping[str, Any] | None = None
    authority: str = ""
    sign_in: str = ""
    front: Front | None = None
    dns_name: str = ""

    @property
    def is_private(self) -> bool:
        """Whether a missing answer may be due only to where this runs; not where that is not known."""
        return self.internal or bool(self.allowed_sources)

    def explains(self, answer: Answer) -> bool:
        """Whether a missing answer may be due only to where this runs, also where nobody can tell."""
        return not answer.reached and (self.is_private or bool(self.unread_sources))

    @property
    def web_acl(self) -> str:
        """The ARN of the distribution's web ACL, or the id of one of AWS WAF Classic; empty without one."""
        return str(self.distribution["DistributionConfig"].get("WebACLId", "")) if self.distribution else ""

    @property
    def countries(self) -> str:
        """The countries of the distribution's geographic restriction, in words; empty without one."""
        config = self.distribution["DistributionConfig"] if self.distribution else {}
        found = config.get("Restrictions", {}).get("GeoRestriction", {"RestrictionType": "none"})
        kind, named = str(found["RestrictionType"]), ", ".join(found.get("Items", []))
        return {"none": "", "whitelist": f"only {named}", "blacklist": f"all but {named}"}.get(kind, kind)

    @property
    def guard(self) -> str:
        """What of the distribution lets in some visitors only, in words; empty where it lets in everybody."""
        web_acl = f"the web ACL {self.web_acl.split('/')[-2:][0]}" if self.web_acl else ""
        countries = f"the geographic restriction ({self.countries})" if self.countries else ""
        return " or ".join(filter(None, (web_acl, countries)))

    def hides(self, status: int) -> tuple[int, ...]:
        """The errors that the distribution answers with a custom error page of this status."""
        return hidden_errors(self.distribution["DistributionConfig"], status) if self.distribution else ()

    def blocks(self, answer: Answer) -> bool:
        """Whether an answer is that of the web ACL or of the geographic restriction: this machine is not let in."""
        if answer.is_error_page and answer.status is not None:
            return bool(self.guard) and self.hides(answer.status) == (403,)
        return bool(self.guard) and answer.by_cloudfront and answer.status == 403

    @property
    def address(self) -> str:
        """The address for visitors, with the host name that the rule requires, where there is one."""
        return f"{urlsplit(self.url).scheme}://{self.name}" if self.name else self.url

    @property
    def wants(self) -> str:
        """Why a plain request does not reach the app, in words; empty where it does."""
        wants = self.rule.wants if self.rule else ()
        if known := next((said for want, said in _NOT_PLAIN.items() if want in wants), ""):
            return known
        return f"the rule has a condition on {', '.join(wants)}" if wants else ""

    def path(self, requested: str) -> str:
        """The path to request: below the one that the rule requires."""
        return self.rule.path(requested) if self.rule else requested


def find_public_endpoint(aws: Aws, target_groups: Sequence[str], stack: str) -> PublicEndpoint | None:
    """The endpoint of the first target group (ARN) to which a listener or rule forwards; None without one.

    ``stack`` is the stack whose distribution may be in front of the load balancer. Prefers public endpoints to internal
    ones, and those that a plain request reaches to others.
    """
    endpoints = [endpoint for group in target_groups for endpoint in _public_endpoints(aws, group, stack)]
    return min(endpoints, key=lambda endpoint: (endpoint.internal, bool(endpoint.wants)), default=None)


def visitors_address(endpoint: PublicEndpoint | None, settings: Settings) -> str | None:
    """The address to tell visitors; None without one, and where the distribution that they need was not found."""
    return None if endpoint is None or lacks_distribution(endpoint, settings) else endpoint.address


def lacks_distribution(endpoint: PublicEndpoint, settings: Settings) -> bool:
    """Whether the settings put CloudFront in front of the load balancer, and no distribution was found there.

    It does not exist, or this identity has no permission to find it.
    """
    return settings.is_fronted and endpoint.internal


def _public_endpoints(aws: Aws, group: str, stack: str) -> list[PublicEndpoint]:
    found = find_target_group(aws, group, arn=group)
    arns = found["LoadBalancerArns"] if found else []
    if not arns:
        return []
    balancers = aws.call("elbv2:DescribeLoadBalancers", group, LoadBalancerArns=arns)["LoadBalancers"]
    endpoints = (_public_endpoint(aws, each, group, stack) for each in balancers)
    return [endpoint for endpoint in endpoints if endpoint is not None]


def _public_endpoint(aws: Aws, balancer: Mapping[str, Any], group: str, stack: str) -> PublicEndpoint | None:
    rule = best_forwarding_rule(listeners_of(aws, balancer["LoadBalancerArn"]), group)
    if rule is None:
        return None
    arn, internal = balancer["LoadBalancerArn"], balancer.get("Scheme") == "internal"
    front = find_front(aws, arn, stack) if internal and not rule.host else None
    if front and front.distribution:
        return _by_distribution(aws, front.distribution, arn, rule, front)
    url = url_of(balancer["DNSName"], rule.protocol, rule.port)
    let_in = allowed_sources(aws, balancer.get("SecurityGroups", []), rule.port)
    return PublicEndpoint(
        url,
        internal,
        rule.host,
        rule=rule,
        allowed_sources=let_in.sources,
        unread_sources=let_in.unread,
        load_balancer=arn,
        sign_in=rule.sign_in,
        front=front,
        dns_name=balancer["DNSName"],
    )


def _by_distribution(
    aws: Aws, distribution: Mapping[str, Any], load_balancer: str, rule: ForwardingRule, front: Front
) -> PublicEndpoint:
    """The address of a distribution, for which its certificate is valid."""
    url = f"https://{distribution['DomainName']}"
    return PublicEndpoint(
        url,
        checked=True,
        rule=rule,
        load_balancer=load_balancer,
        distribution=distribution,
        authority=find_authority(aws, url),
        front=front,
        dns_name=distribution["DomainName"],
    )


@dataclass(frozen=True)
class AllowedSources:
    """The address ranges, security groups and prefix lists (``sources``) that may reach a TCP port.

    None where the security groups allow everybody or nobody. ``unread`` is why that is not known, empty where it is.
    """

    sources: tuple[str, ...] = ()
    unread: str = ""


def allowed_sources(aws: Aws, groups: Sequence[str], port: int) -> AllowedSources:
    """What the security groups (ids) allow to reach a TCP port."""
    try:
        found = _groups(aws, groups) if groups else []
    except AwsCallError as refused:
        return AllowedSources(unread=refused.why or refused.what)
    rules = [rule for group in found for rule in group["IpPermissions"] if covers_port(rule, port)]
    sources = {
        peer[key] for rule in rules for member, key in _SOURCES.items() for peer in rule.get(member, [])
    }
    return AllowedSources(() if _EVERYBODY in sources else tuple(sorted(sources)))


def _groups(aws: Aws, ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    return aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", "the load balancer's", GroupIds=ids)


def listeners_of(aws: Aws, balancer: str) -> list[dict[str, Any]]:
    """The listeners of a load balancer (ARN), each with its ``Rules``."""
    listeners = aws.pages("elbv2:DescribeListeners", "Listeners", balancer, LoadBalancerArn=balancer)
    rules = in_parallel(*(partial(_rules_of, aws, each["ListenerArn"]) for each in listeners))
    return [{**each, "Rules": its} for each, its in zip(listeners, rules, strict=True)]


def _rules_of(aws: Aws, listener: str) -> list[dict[str, Any]]:
    return aws.pages("elbv2:DescribeRules", "Rules", listener, ListenerArn=listener)


def url_of(dns_name: str, protocol: str, port: int) -> str:
    """The URL of a listener, with the port where it is not the scheme's default."""
    scheme = protocol.lower()
    plain = port == _DEFAULT_PORTS.get(scheme) or ":" in dns_name
    return f"{scheme}://{dns_name}" if plain else f"{scheme}://{dns_name}:{port}"


def probe(
    clock: Clock,
    endpoint: PublicEndpoint,
    path: str,
    websocket: str | None,
    within: float = REACHABLE_WITHIN_SECONDS,
) -> Probe:
    """Request the page and the WebSocket in parallel, again while a failure may be temporary."""
    asked: list[Callable[[], Answer]] = [partial(get, clock, endpoint, endpoint.path(path))]
    if websocket is not None:
        asked.append(partial(shake_hands, clock, endpoint, endpoint.path(websocket)))
    patience = 0.0 if endpoint.internal else within  # from outside its network it never answers
    patience = min(patience, _PRIVATE_WITHIN_SECONDS) if endpoint.allowed_sources else patience
    page, *sockets = in_parallel(*(partial(_ask_again, clock, ask, patience) for ask in asked))
    return Probe(
        endpoint.url if endpoint.checked else endpoint.address, page, sockets[0] if sockets else None
    )


def _ask_again(clock: Clock, ask: Callable[[], Answer], within: float) -> Answer:
    """The first answer that is not temporary, or the last one after ``within`` seconds of the clock."""
    answer = clock.poll(ask, within, _BETWEEN_SECONDS, until=lambda answer: not answer.passing)
    return replace(answer, passing=False)


def get(clock: Clock, endpoint: PublicEndpoint, path: str) -> Answer:
    """GET a page; redirects are not followed, since they may lead to a sign-in page elsewhere.

    Where visitors sign in, the redirect there is the expected answer: the load balancer, and not the app, has answered.
    """
    url, sign_in = endpoint.url, endpoint.sign_in
    # The certificate is for the visitors' host name; without one it cannot be verified.
    with (
        warnings.catch_warnings(action="ignore"),
        Client(endpoint.name, checked=endpoint.checked, authority=endpoint.authority) as client,
    ):
        answer = client.request(f"{url}{path}", ANSWER_WITHIN_SECONDS, most=0, stopwatch=clock.stopwatch)
    status, milliseconds = answer.status, answer.milliseconds
    if status is None:
        return _unreached(f"GET {path}", url, answer.error)
    if page := _error_page(f"GET {path}", endpoint, status, answer.headers):
        return page
    if sign_in and _leads_to(sign_in, status, answer.headers.get("location", "")):
        said = f"GET {path} {status} in {milliseconds:.0f} ms: visitors sign in at {urlsplit(sign_in).netloc}"
        return Answer(True, said, status, milliseconds)
    if sign_in and status in PAGE_STATUSES:
        return Answer(False, f"GET {path} answers {status} without a sign-in", status, milliseconds)
    if status in PAGE_STATUSES:
        return Answer(True, f"GET {path} {status} in {milliseconds:.0f} ms", status, milliseconds)
    by_cloudfront = is_by_cloudfront(status, answer.headers)
    said = f"GET {path} answers {_status_words(status, by_cloudfront)}"
    passing = status in _PASSING_STATUSES
    return Answer(False, said, status, milliseconds, passing, by_cloudfront=by_cloudfront)


def shake_hands(clock: Clock, endpoint: PublicEndpoint, path: str) -> Answer:
    """A WebSocket handshake, as a browser makes it; the connection is closed at once.

    Where visitors sign in, the redirect there is the expected answer.
    """
    url, name, sign_in = endpoint.url, endpoint.name, endpoint.sign_in
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    origin = f"{parts.scheme}://{name}" if name else url
    started = clock.stopwatch()
    try:
        with _open(parts, endpoint) as stream:
            _upgrade(stream, f"{'wss' if secure else 'ws'}://{name or parts.netloc}{path}", origin)
            milliseconds = (clock.stopwatch() - started) * 1000
    except InvalidStatus as refused:
        headers = {key.lower(): value for key, value in refused.response.headers.raw_items()}
        status = refused.response.status_code
        if page := _error_page(f"WebSocket {path}", endpoint, status, headers):
            return page
        if sign_in and _leads_to(sign_in, status, headers.get("location", "")):
            return Answer(True, f"WebSocket {path} not opened: visitors sign in first", status)
        return _refused_handshake(path, origin, status, is_by_cloudfront(status, headers))
    except (InvalidHandshake, OSError, EOFError, TimeoutError) as error:
        return _unreached(f"WebSocket {path}", url, error)
    if sign_in:
        return Answer(False, f"WebSocket {path} opens without a sign-in", 101, milliseconds)
    return Answer(True, "WebSocket open", 101, milliseconds)


def _error_page(
    asked: str, endpoint: PublicEndpoint, status: int, headers: Mapping[str, str]
) -> Answer | None:
    """The answer where it is a custom error page of the distribution; it may be temporary, as the error may.

    CloudFront's own page, and the load balancer's, have their own ``Server`` header: there was no custom page then.
    """
    codes = endpoint.hides(status) if says_error(headers) else ()
    is_own = headers.get("server", "").startswith(("CloudFront", "awselb"))
    if not is_error_page(status, headers) and (not codes or is_own):
        return None
    errors = f"for {' or '.join(map(str, codes))}" if codes else "for an error"
    said = f"{asked} answers {status} with the distribution's own page {errors}"
    return Answer(False, said, status, passing=True, is_error_page=True)


def certificate_error(endpoint: PublicEndpoint, domain: str) -> str:
    """Why the certificate that an endpoint shows for a domain is not valid, in OpenSSL's words.

    Empty where it is valid, and where no connection is made. A wildcard stands for one of its names.
    """
    asked = replace(endpoint, name=domain.replace("*", "www", 1), checked=True)
    try:
        with _open(urlsplit(endpoint.url), asked):
            return ""
    except ssl.SSLCertVerificationError as invalid:
        return invalid.verify_message.rstrip(".")
    except OSError:
        return ""


def _leads_to(sign_in: str, status: int, location: str) -> bool:
    """Whether an answer is the redirect to a sign-in."""
    return status == 302 and location.partition("?")[0] == sign_in.partition("?")[0]


def _subprotocols(path: str) -> list[Subprotocol] | None:
    """Streamlit's subprotocol, without which it closes the connection; None on other paths."""
    return [Subprotocol(_STREAMLIT_PROTOCOL)] if path.endswith(_STREAMLIT_PATH) else None


def _open(parts: SplitResult, endpoint: PublicEndpoint) -> socket.socket:
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    plain = socket.create_connection((parts.hostname, port), timeout=ANSWER_WITHIN_SECONDS)
    if parts.scheme != "https":
        return plain
    context = trusting(endpoint.authority) if endpoint.checked else unverified()
    return context.wrap_socket(plain, server_hostname=endpoint.name or parts.hostname)


def _upgrade(stream: socket.socket, uri: str, origin: str) -> None:
    """The handshake and the close in one thread: with TLS, a reading and a writing thread lose data."""
    where = parse_uri(uri)
    protocol = ClientProtocol(where, origin=Origin(origin), subprotocols=_subprotocols(where.path))
    protocol.send_request(protocol.connect())
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        stream.sendall(b"".join(protocol.data_to_send()))
        if received := stream.recv(_CHUNK):
            protocol.receive_data(received)
        else:
            protocol.receive_eof()
    if protocol.handshake_exc is not None:
        raise protocol.handshake_exc
    if protocol.state is State.OPEN:  # unless the app has closed the connection already
        protocol.send_close(CloseCode.NORMAL_CLOSURE)
    stream.sendall(b"".join(protocol.data_to_send()))


def _refused_handshake(path: str, url: str, status: int, by_cloudfront: bool) -> Answer:
    said = f"WebSocket {path} answers {_status_words(status, by_cloudfront)}"
    if status == 403 and not by_cloudfront:
        said += f"; the app does not accept the Origin {url} (Streamlit: server.corsAllowedOrigins)"
    elif status in range(200, 300):
        said = f"WebSocket {path} answers {status} without an upgrade: there is no WebSocket at this path"
    return Answer(False, said, status, passing=status in _PASSING_STATUSES, by_cloudfront=by_cloudfront)


def _status_words(status: int, by_cloudfront: bool = False) -> str:
    """The meaning of the load balancer's own statuses (Elastic Load Balancing, "Troubleshoot") and of CloudFront's."""
    if by_cloudfront:
        told = {
            403: "403: CloudFront refuses the request",
            502: "502: CloudFront has no connection to the load balancer",
            504: "504: CloudFront got no answer from the load balancer",
        }
        return told.get(status, f"{status}, by CloudFront")
    meanings = {
        502: "502: the load balancer got no valid answer from the task",
        503: "503: the load balancer has no target for the request",
        504: "504: the load balancer got no answer from the task in time",
    }
    return meanings.get(status, str(status))


def _unreached(asked: str, url: str, error: Exception | None) -> Answer:
    """The answer where nothing answered; it may be temporary, since a new load balancer becomes reachable
    gradually."""
    return Answer(False, f"{asked}: {_trouble(error)} at {urlsplit(url).netloc}", passing=True, reached=False)


def _trouble(error: BaseException | None) -> str:
    text = _chain(error)
    known = {
        "NameResolution": "DNS does not know the name yet",
        "gaierror": "DNS does not know the name yet",
        "ConnectionRefused": "connection refused",
        "refused": "connection refused",
        "Timeout": "no answer in time",
        "timed out": "no answer in time",
        "SSL": "no TLS",
    }
    return next((words for sign, words in known.items() if sign in text), f"no answer ({error})")


def _chain(error: BaseException | None) -> str:
    """The types and texts of an error and of its causes."""
    parts = []
    while error is not None:
        parts.append(f"{type(error).__name__} {error}")
        error = error.__cause__ or error.__context__
    return " ".join(parts)
