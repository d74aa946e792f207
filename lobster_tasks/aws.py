"""Makes all calls to AWS: lazy clients, complete paged listings, retries, and errors with a next step.

An operation is named ``service:Operation``, as in IAM, and returns a plain dict. This is the only module that imports
boto3 and calls AWS, and it imports boto3 and botocore when the first call is made.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .api_models import loader
from .clock import Clock
from .errors import (
    AwsCallError,
    CredentialsError,
    LobsterError,
    RefusedError,
    SettingsError,
)
from .loopback import is_loopback
from .refusals import PASSING, PASSING_WITHIN, PASSING_WITHIN_SECONDS, SIGN_IN, refusal, subject
from .version import __version__

T = TypeVar("T")
Tell = Callable[[LobsterError, float], None]

# Error codes of services that do not know new credentials yet, although STS does.
_FRESH: dict[str, tuple[str, ...]] = {"InvalidClientTokenId": (), "UnrecognizedClientException": ()}
# How often a call is sent until it is answered. Each RegisterTaskDefinition creates a revision and each
# CreatePolicyVersion a version, so they are not sent again when it is unknown whether they were carried out. The
# first call of a command is given up early, because it is where people notice that there is no network.
_ATTEMPTS = 8
_ATTEMPTS_OF = {"ecs:RegisterTaskDefinition": 1, "iam:CreatePolicyVersion": 1, "sts:GetCallerIdentity": 3}
_THROTTLED: dict[str, tuple[str, ...]] = {"ThrottlingException": (), "Throttling": ()}
# Values that Amazon ECS's model does not define as an enumeration; its API reference has them in capitals only.
_OPEN_WORDS = frozenset(
    {
        ("Attachment", "status"),
        ("Cluster", "status"),
        ("Container", "lastStatus"),
        ("Deployment", "status"),
        ("ManagedAgent", "lastStatus"),
        ("Service", "status"),
        ("Task", "desiredStatus"),
        ("Task", "lastStatus"),
    }
)
# A refusal that is waited for is reported at most this often, in real seconds, because people read it.
_TOLD_EVERY_SECONDS = 15.0
# The form of AWS's error codes. A proxy's page has none, and botocore then uses the HTTP status, or nothing.
_AWS_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,255}")


class Aws:
    """One account in one region.

    Endpoint and credentials default to those of AWS's own environment variables and files. Throttled calls, and calls
    without an answer, are sent again, except for those that must not be sent twice. ``tell`` is called, from any
    thread, with a refusal that is waited for and the longest wait in seconds.
    """

    def __init__(
        self,
        region: str,
        *,
        clock: Clock | None = None,
        endpoint_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
        tell: Tell = lambda refused, within: None,
    ) -> None:
        self.region = region
        self._tell, self._told_at = tell, -_TOLD_EVERY_SECONDS
        self.clock = clock or Clock()
        self._endpoint_url = endpoint_url
        self._credentials: dict[str, Any] = dict(credentials or {})
        self.calls: Counter[str] = Counter()
        """The number of calls of each operation; a listing counts once, however many pages it has."""
        self._clients: dict[tuple[str, str, int], Any] = {}
        self._lock = threading.Lock()
        self._sent = threading.local()

    def call(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """Make one call, ``call("ecs:DescribeServices", cluster="…")``; ``about`` names the resource for people.

        Waits for a refusal that is temporary (``refusals``). Raises AwsCallError when AWS refuses the call,
        AccountHeldError when it is a restriction of the account, CredentialsError when AWS does not know the caller.
        """
        service, method = _split(operation)
        attempts = _ATTEMPTS_OF.get(operation, _ATTEMPTS)
        passing = {**PASSING.get(operation, {}), **(_THROTTLED if attempts == 1 else {})}

        def call() -> dict[str, Any]:
            client = self._client(service, attempts)
            return self._speak(operation, about, lambda: getattr(client, method)(**parameters))

        within = PASSING_WITHIN.get(operation, PASSING_WITHIN_SECONDS)
        return self.retry_while(call, passing, within) if passing else call()

    def find(
        self, operation: str, absent: Collection[str], about: str = "", **parameters: Any
    ) -> dict[str, Any] | None:
        """As ``call``, but None where AWS answers with one of the error codes in ``absent``."""
        try:
            return self.call(operation, about, **parameters)
        except AwsCallError as refused:
            if refused.code in absent:
                return None
            raise

    def pages(self, operation: str, items: str, about: str = "", **parameters: Any) -> list[Any]:
        """Every item of a paged listing; ``items`` is the member of the answer that contains them."""
        service, method = _split(operation)

        def drain() -> list[Any]:
            client = self._client(service)
            if client.can_paginate(method):
                pages = client.get_paginator(method).paginate(**parameters)
            else:
                pages = _by_token(getattr(client, method), parameters)
            return [item for page in pages for item in page.get(items, [])]

        return self._speak(operation, about, drain)

    def as_sent(self, operation: str, about: str = "", **parameters: Any) -> dict[str, Any]:
        """As ``call``, but the answer as the service sent it: with members that the installed botocore does not
        know.

        For services with a JSON protocol. Times are not converted; most are seconds since 1970.
        """
        self.call(operation, about, **parameters)
        return dict(spelled(json.loads(self._sent.body), self._sent.shape))

    def in_region(self, region: str) -> Aws:
        """The same account in another region; it shares the session and the clients, which are slow to create."""
        if region == self.region:
            return self
        credentials, endpoint = self._credentials, self._endpoint_url
        other = Aws(region, clock=self.clock, endpoint_url=endpoint, credentials=credentials, tell=self._tell)
        other._session, other._lock = self._session, self._lock
        other._clients, other._sent = self._clients, self._sent
        return other

    def retry_while(self, work: Callable[[], T], passing: Mapping[str, Collection[str]], within: float) -> T:
        """Repeat ``work`` for ``within`` seconds while AWS refuses it for a temporary reason.

        For eventual consistency. ``passing`` maps an error code to texts of which the message contains one; no texts
        accept any message. The last refusal is raised unchanged.
        """

        def passes(error: BaseException) -> bool:
            if not isinstance(error, AwsCallError | CredentialsError) or error.code not in passing:
                return False
            texts = passing[error.code]
            return not texts or any(text in error.why for text in texts)

        def tell(refused: BaseException) -> None:
            assert isinstance(refused, LobsterError)
            self._tell_of(refused, within)

        return self.clock.retry(work, within, passes, tell)

    def _tell_of(self, refused: LobsterError, within: float) -> None:
        now = self.clock.stopwatch()
        with self._lock:
            if now - self._told_at < _TOLD_EVERY_SECONDS:
                return
            self._told_at = now
        self._tell(refused, within)

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """The caller: ``Account`` (12 digits) and ``Arn`` (STS GetCallerIdentity)."""
        return self.call("sts:GetCallerIdentity")

    @property
    def account(self) -> str:
        """The account's 12 digits."""
        return self.identity["Account"]

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self.identity["Arn"].split(":")[1]

    @cached_property
    def endpoint_url(self) -> str | None:
        """The endpoint of calls, from the constructor, AWS's environment variables or the profile; None for AWS
        itself."""
        inner = self._session._session
        if self._endpoint_url or inner.get_config_variable("ignore_configured_endpoint_urls"):
            return self._endpoint_url
        return os.environ.get("AWS_ENDPOINT_URL") or inner.get_scoped_config().get("endpoint_url")

    @cached_property
    def _session(self) -> Any:
        session = _session_of(region_name=self.region, **self._credentials)
        self._check_region(session)
        return session

    def _check_region(self, session: Any) -> None:
        partitions = session.get_available_partitions()
        regions = [each for name in partitions for each in session.get_available_regions("ecs", name)]
        if self.region not in regions:
            swapped = [each for each in regions if sorted(each) == sorted(self.region)]
            near = swapped or difflib.get_close_matches(self.region, regions, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError([f"region: the installed boto3 knows no region {self.region}{hint}"])

    def _client(self, service: str, attempts: int = _ATTEMPTS) -> Any:
        with self._lock:
            key = self.region, service, attempts
            if key not in self._clients:
                self._clients[key] = self._new_client(service, attempts)
            return self._clients[key]

    def _new_client(self, service: str, attempts: int) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=32,
            # botocore builds a longer user agent anew for each call, which takes a tenth of the call's time
            user_agent=f"lobster-tasks/{__version__} {self._session._session.user_agent()}",
        )
        client = self._session.client(service, self.region, endpoint_url=self._endpoint_url, config=config)
        event = f"before-parse.{client.meta.service_model.service_id.hyphenize()}"
        client.meta.events.register(event, self._keep)
        client.meta.events.register("after-call", self._spell)
        return client

    def _keep(self, response_dict: Mapping[str, Any], **_: Any) -> None:
        """Keep a service's raw answer for the calling thread, before botocore drops members it does not know."""
        self._sent.body = response_dict["body"]

    def _spell(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        """Spell enumeration values in an answer as the service's model does, before they are compared."""
        self._sent.shape = model.output_shape
        parsed.update(spelled(parsed, model.output_shape))

    def _speak(self, operation: str, about: str, work: Callable[[], T]) -> T:
        """Do ``work``; wait where the service does not know the credentials yet, although STS does."""

        def speak() -> T:
            return self._speak_once(operation, about, work)

        is_known = "identity" in vars(self)
        return self.retry_while(speak, _FRESH, PASSING_WITHIN_SECONDS) if is_known else speak()

    def _speak_once(self, operation: str, about: str, work: Callable[[], T]) -> T:
        """Do ``work`` and turn botocore's errors into this library's."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
        from botocore.parsers import ResponseParserError

        with self._lock:
            self.calls[operation] += 1
        try:
            return work()
        except ClientError as error:
            told = dict(error.response.get("Error", {}))
            if not _AWS_CODE.fullmatch(told.get("Code", "")) and self._proxy_step(operation):
                raise self._trouble(operation, about, error) from error
            raise refusal(operation, about, told) from error
        except NoCredentialsError as error:
            raise CredentialsError("There are no AWS credentials.", next_step=SIGN_IN) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise self._trouble(operation, about, error) from error

    def _trouble(self, operation: str, about: str, error: Exception) -> LobsterError:
        kind = type(error).__name__
        if "Credential" in kind or "Token" in kind or "SSO" in kind:
            return CredentialsError("The AWS credentials cannot be used.", str(error), SIGN_IN)
        if kind == "ParamValidationError":
            return RefusedError(f"{subject(operation, about)} was not sent.", str(error))
        return AwsCallError(
            f"{subject(operation, about)} got no answer.",
            str(error),
            self._proxy_step(operation)
            or "check the network and AWS_ENDPOINT_URL, then run the same command again",
            code=kind,
            operation=operation,
        )

    def _proxy_step(self, operation: str) -> str:
        """The next step for the proxy that the call went through; empty without a proxy."""
        from botocore.utils import get_environ_proxies

        client = self._client(_split(operation)[0], _ATTEMPTS_OF.get(operation, _ATTEMPTS))
        url = urlsplit(client.meta.endpoint_url)
        proxy = get_environ_proxies(url.geturl()).get(url.scheme)
        return _without_the_proxy(url.hostname or "", proxy) if proxy else ""


def _without_the_proxy(host: str, proxy: str) -> str:
    """The next step where a host did not answer through a proxy (``proxy`` is a URL and may contain a password).

    Where both NO_PROXY and no_proxy are set, programs use the one in lower case.
    """
    there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    name = "no_proxy" if "no_proxy" in os.environ else "NO_PROXY"
    asked = f"{host} is reached through the proxy {there.hostname}:{there.port or 80}"
    if is_loopback(host):
        names = ",".join(dict.fromkeys([host, "127.0.0.1", "localhost"]))
        return f"{asked}: export {name}={names}${{{name}:+,${name}}}, then run the same command again"
    return f"{asked}: check that proxy, or add {host} to {name}; then run the same command again"


def spelled(answer: Any, shape: Any) -> Any:
    """An answer with each enumeration value spelled as in the service's model.

    AWS spells some values in another case than its models and its documentation: App Runner calls a domain ``active``
    where its model has ``ACTIVE``. ``shape`` is botocore's; values that are in no enumeration stay as they are. Pure.
    """
    match shape and shape.type_name, answer:  # a policy is a string in the model, a dict here
        case "structure", dict():
            return {name: _member(shape, name, each) for name, each in answer.items()}
        case "list", list():
            return [spelled(each, shape.member) for each in answer]
        case "map", dict():
            return {name: spelled(each, shape.value) for name, each in answer.items()}
        case "string", str():
            return _words(tuple(shape.enum)).get(answer.casefold(), answer)
    return answer


def _member(shape: Any, name: str, value: Any) -> Any:
    if (shape.name, name) in _OPEN_WORDS and isinstance(value, str):
        return value.upper()
    return spelled(value, shape.members.get(name))


@cache
def _words(enumeration: tuple[str, ...]) -> Mapping[str, str]:
    return {word.casefold(): word for word in enumeration}


def profiles_region() -> tuple[str, str] | None:
    """The profile in use (AWS_PROFILE, or ``default``) and its region, where AWS's own files set one.

    Raises CredentialsError where the profile does not exist, or the files cannot be read.
    """
    session = _session_of()
    region = session._session.get_scoped_config().get("region")
    return (session.profile_name, region) if region else None


def _session_of(**given: Any) -> Any:
    """A boto3 session; raises CredentialsError where AWS's own files are invalid."""
    import boto3
    from botocore.exceptions import ConfigParseError, ProfileNotFound

    try:
        session = boto3.Session(**given)
        _share_models(session)
    except ProfileNotFound as missing:
        raise CredentialsError(str(missing), next_step="correct AWS_PROFILE, or run aws configure") from None
    except ConfigParseError as error:
        what = "The AWS configuration cannot be read."
        raise CredentialsError(what, str(error), "correct that file, or run aws configure") from None
    return session


def _share_models(session: Any) -> None:
    """Share loaded API models between sessions: loading them takes longer than most calls."""
    inner = session._session
    inner.register_component("data_loader", loader(inner.get_config_variable("data_path")))


def _by_token(ask: Callable[..., dict[str, Any]], parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The pages of a listing without a paginator in botocore, such as App Runner's."""
    page = ask(**parameters)
    yield page
    while token := page.get("NextToken"):
        page = ask(**parameters, NextToken=token)
        yield page


def _split(operation: str) -> tuple[str, str]:
    from botocore import xform_name

    service, _, name = operation.partition(":")
    return service, xform_name(name)
