"""An app behind a distribution: from nothing to HTTPS without a domain, and back to nothing."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from websockets.typing import Origin

from lobster_tasks import converge, doctor, rollout, stack
from lobster_tasks.account import find_authority, is_at_edge
from lobster_tasks.apprunner import parity
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.errors import NotReadyError, RefusedError
from lobster_tasks.settings import Settings, load
from tests.embedded.browser import BROWSER, shown, trusting
from tests.embedded.certificates import issued
from tests.embedded.identities import allow, session
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually, start
from tests.project import APP, Project, make
from tests.web_socket import connect

from .dump import dump

SPEED = 100.0
DOMAIN = "app.example.com"
BLIND = "sees-no-distribution"
MEGABYTES = 20
PAGE = """<!doctype html><title>App</title><script>
const tell = (what) => fetch("/saw?" + new URLSearchParams(what));
async function use() {
  const socket = new WebSocket(`wss://${location.host}/_stcore/stream`, ["streamlit"]);
  const echo = await new Promise((done) => {
    socket.onopen = () => socket.send("hello");
    socket.onmessage = (message) => done(message.data);
    socket.onclose = (closed) => done(`closed ${closed.code}`);
  });
  const form = new FormData();
  form.append("file", new File([new Uint8Array(MEGABYTES * 2 ** 20)], "large.bin"));
  const answer = await fetch("/upload", {method: "PUT", body: form});
  const size = (await answer.text()).split(" ").pop();
  await tell({secure: isSecureContext, echo, status: answer.status, size});
}
use().catch((error) => tell({error}));
</script>""".replace("MEGABYTES", str(MEGABYTES))
# What the app has for a browser: the page, what the page has seen, and who asks for that.
FOR_BROWSERS = f"""    SEEN = {{}}

    def on_page(self, _query):
        self.reply({PAGE!r}, kind="text/html")

    def on_saw(self, query):
        self.SEEN.update(query)
        self.reply("")

    def on_seen(self, _query):
        self.show(self.SEEN)

"""
SETTINGS = {
    "front": {"kind": "cloudfront"},
    "deployment": {"deregistration_delay": 5, "wait_minutes": 300},
}


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS of its own, where minutes are nothing."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


def as_streamlit(program: str) -> str:
    """The test app with a page for browsers; as Streamlit, it refuses a WebSocket whose Origin is not its Host."""
    refuse = (
        'if self.asked.get("origin", "").partition("://")[2] not in ("", self.asked["host"]):\n'
        '            self.reply("", 403)\n            return\n        '
    )
    begins, before = 'key = self.asked.get("sec-websocket-key")', "    def on_pid("
    assert begins in program
    assert before in program
    return program.replace(begins, refuse + begins).replace(before, FOR_BROWSERS + before)


@pytest.fixture(scope="module")
def project(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a front door, set up and with a release; its folder has ``before``, the account before that."""
    folder = tmp_path_factory.mktemp("fronted")
    swift.reset()
    made = make(folder, swift.url, {"web_app.py": as_streamlit(APP.read_text())})
    (folder / "nothing").mkdir()
    made.write("invoke.yaml", json.dumps({"lobster": SETTINGS}))
    (folder / "before").write_text(json.dumps(account(swift, folder)))
    made.inv("setup-fargate", "--yes").check()
    made.inv("push-image", "--tag", "one", "--builder", "process").check()
    return made


@pytest.fixture(scope="module")
def url(project: Project) -> str:
    """Where a release says that visitors reach it."""
    outputs = str(project.folder / "outputs")
    return str(project.inv("deploy", "--tag", "one", "--json", GITHUB_OUTPUT=outputs).check().json["url"])


@pytest.fixture(scope="module")
def authority(swift: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the certificate of who signs what distributions show."""
    path = tmp_path_factory.mktemp("trust") / "authority.pem"
    told = control.get(f"{swift.url}/_embedded/authority", timeout=PATIENCE).json()
    path.write_text(told["pem"])
    return path


KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}


def library(swift: EmbeddedProcess, keys: Mapping[str, str] = KEYS) -> Aws:
    """The library's door to it, with a clock as fast."""
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=Clock(speed=SPEED))


def test_the_page_opens_by_https(url: str, authority: Path) -> None:
    assert url.startswith("https://")
    answer = requests.get(url, verify=str(authority), timeout=PATIENCE)
    assert answer.status_code == 200
    plain = requests.get(url.replace("https", "http"), allow_redirects=False, timeout=PATIENCE)
    assert (plain.status_code, plain.headers["Location"].rstrip("/")) == (301, url)


def test_a_websocket_opens_through_it(url: str, authority: Path) -> None:
    trust = ssl.create_default_context(cafile=str(authority))
    where = f"wss://{urlsplit(url).netloc}/_stcore/stream"
    with connect(where, ssl=trust, origin=Origin(url)) as socket:
        socket.send("hello")
        assert socket.recv(timeout=PATIENCE)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here (Debian: apt-get install chromium)")
def test_a_browser_opens_the_page_and_a_websocket_and_uploads_a_file(
    url: str, authority: Path, tmp_path: Path
) -> None:
    with shown(tmp_path, f"{url}/page", trusting(authority)):
        seen = eventually(lambda: requests.get(f"{url}/seen", verify=str(authority), timeout=PATIENCE).json())
    size = int(seen.pop("size", 0))
    assert seen == {"secure": "true", "echo": "hello", "status": "200"}
    assert 0 < size - MEGABYTES * 2**20 < 1024  # the file, in a form


def test_the_load_balancer_is_not_on_the_internet(swift: EmbeddedProcess, url: str) -> None:
    (balancer,) = swift.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert balancer["Scheme"] == "internal"
    with pytest.raises(requests.ReadTimeout):  # its group drops what is not from CloudFront
        requests.get(f"http://{balancer['DNSName']}", timeout=0.5)


def test_whoever_tells_an_address_tells_this_one(project: Project, url: str) -> None:
    outputs = (project.folder / "outputs").read_text()
    assert re.search(rf"^url<<(\S+)\n{re.escape(url)}\n\1$", outputs, re.M)
    status = project.inv("status", "--json").check().json
    assert status["url"] == url
    (name, distribution, _, balancer, group) = status["way"]
    assert (name["kind"], name["name"], name["state"]) == ("name", urlsplit(url).netloc, None)
    assert {each["cause"] for each in status["way"]} == {None}
    assert distribution["state"] == "enabled, Deployed"
    assert [each["kind"] for each in status["way"]] == [
        "name",
        "distribution",
        "VPC origin",
        "load balancer",
        "target group",
    ]
    assert balancer["state"] == "internal, HTTP on port 80"
    assert group["name"] == "lobster-tg"
    assert project.inv("plan", "--json").check().json["url"] == url
    part = project.inv("create-fargate-service", "--dry-run", "--json").check().json
    assert (
        part["url"] is None
    )  # the distribution is no part of it, and the load balancer is none of the visitors'
    assert url in project.inv("status").check().out
    checks = {each["id"]: each for each in project.inv("validate-fargate-setup", "--json").json["checks"]}
    assert [each for each in checks.values() if each["status"] == "fail"] == []
    assert "from CloudFront only" in checks["security.visitors"]["saw"]
    assert checks["load-balancer.distribution"]["saw"].endswith(url)


def test_a_domain_would_be_led_to_the_distribution(
    swift: EmbeddedProcess, project: Project, url: str
) -> None:
    swift.forget_calls()
    planned = project.inv("cutover", "--dry-run", "--set", "domains=app.example.com").check().said
    assert "app.example.com · to CloudFront" in planned
    assert "a certificate of ACM in us-east-1 for app.example.com" in planned
    assert "app.example.com on distribution E" in planned
    assert swift.calls(mutating=True) == []


@pytest.fixture(scope="module")
def blind(swift: EmbeddedProcess, url: str) -> Aws:
    """The account for somebody who may not see the distribution."""
    denied = {"Effect": "Deny", "Action": "cloudfront:*", "Resource": "*"}
    return library(swift, session(swift, BLIND, allow("*"), denied).credentials)


def test_a_release_of_who_may_not_see_the_distribution_says_so(blind: Aws) -> None:
    ended = rollout.deploy(blind, load(SETTINGS), "one")
    assert ended.verdict == "live"
    (told,) = [each for each in ended.findings if each.code == "not-reachable-from-here"]
    assert "distribution" in told.message
    assert "inv print-setup-policy --deploy" in told.remedy
    assert ended.url is None  # the load balancer's address is none for visitors
    seen = rollout.status(blind, load(SETTINGS))
    assert (seen.url, seen.way[0].name) == (None, "not found")


def test_who_may_not_see_the_distribution_does_not_ask_the_load_balancer_instead(blind: Aws) -> None:
    settings, names = load(SETTINGS), ("load-balancer.distribution", "answers.page", "answers.websocket")
    old = {"ServiceName": "old", "ServiceArn": "arn", "Status": "RUNNING", "ServiceUrl": "127.0.0.1:1"}
    with pytest.raises(RefusedError, match="the distribution before the load balancer"):
        parity.compare_service(blind, settings, old)
    checks, _ = doctor.consult(blind, settings, names)
    assert [checks[name].status for name in names] == ["fail", "skip", "skip"]
    assert checks["answers.page"].saw == "no distribution was found before the load balancer"


BreakIt = Callable[[EmbeddedProcess], None]


@dataclass(frozen=True)
class Broken:
    """What somebody does to a hop.

    ``kind`` is the hop that the status names, empty where only the answers show it; ``has_url`` is whether visitors
    still have an address; ``refuses`` whether a release is refused before it changes anything. ``undo`` ends what setup
    would wait for.
    """

    do: BreakIt
    kind: str = ""
    has_url: bool = True
    refuses: bool = False
    undo: BreakIt | None = None


THEIRS = "theirs"
HOPS: dict[str, Broken] = {}


def hop(code: str, kind: str = "", **more: Any) -> Callable[[BreakIt], BreakIt]:
    """What somebody does to a hop, and the cause that a release then has."""

    def keep(break_it: BreakIt) -> BreakIt:
        HOPS[code] = Broken(break_it, kind, **more)
        return break_it

    return keep


@hop("origin-unreachable")
def _no_rule(swift: EmbeddedProcess) -> None:
    ec2 = swift.client("ec2")
    named = [{"Name": "group-name", "Values": ["lobster-alb-sg"]}]
    (group,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])


@hop("origin-protocol")
def _no_certificate(swift: EmbeddedProcess) -> None:
    """Another VPC origin, which speaks HTTPS where the load balancer speaks HTTP."""
    cloudfront = swift.client("cloudfront")
    (one,) = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    config = cloudfront.get_vpc_origin(Id=one["Id"])["VpcOrigin"]["VpcOriginEndpointConfig"]
    theirs = {**config, "Name": THEIRS, "OriginProtocolPolicy": "https-only", "HTTPSPort": 80}
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=theirs)["VpcOrigin"]["Id"]
    eventually(lambda: cloudfront.get_vpc_origin(Id=made)["VpcOrigin"]["Status"] == "Deployed")
    edit(swift, lambda found: found["Origins"]["Items"][0]["VpcOriginConfig"].update(VpcOriginId=made))


@hop("host-not-forwarded")
def _other_host(swift: EmbeddedProcess) -> None:
    other = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # Managed-AllViewerExceptHostHeader
    edit(swift, lambda found: found["DefaultCacheBehavior"].update(OriginRequestPolicyId=other))


@hop("distribution-disabled", "distribution")
def _disabled(swift: EmbeddedProcess) -> None:
    edit(swift, lambda found: found.update(Enabled=False))


def _goes_on(swift: EmbeddedProcess) -> None:
    """CloudFront is as fast as ever, with the next change."""
    swift.forgive()
    edit(swift, lambda found: found.update(Comment="changed"))


@hop("distribution-in-progress", undo=_goes_on)
def _in_progress(swift: EmbeddedProcess) -> None:
    """Enabled again, which no edge location knows yet."""
    edit(swift, lambda found: found.update(Enabled=False))
    swift.order({"cloudfront_deployment_seconds": 24 * 3600 * 100})
    change(swift, lambda found: found.update(Enabled=True))


@hop("vpc-origin-failed", "VPC origin")
def _failed_vpc_origin(swift: EmbeddedProcess) -> None:
    cloudfront = swift.client("cloudfront")
    listed = cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]
    (id,) = [each["Id"] for each in listed if each["Name"] != THEIRS]
    config = cloudfront.get_vpc_origin(Id=id)["VpcOrigin"]["VpcOriginEndpointConfig"]
    theirs = {**config, "Name": f"{THEIRS}, too"}
    swift.order({"vpc_origin_failure": True})
    made = cloudfront.create_vpc_origin(VpcOriginEndpointConfig=theirs)["VpcOrigin"]["Id"]
    swift.forgive()
    eventually(lambda: cloudfront.get_vpc_origin(Id=made)["VpcOrigin"]["Status"] == "Failed")
    edit(swift, lambda found: found["Origins"]["Items"][0]["VpcOriginConfig"].update(VpcOriginId=made))


@hop("listener-missing", "load balancer", has_url=False, refuses=True)
def _no_listener(swift: EmbeddedProcess) -> None:
    elbv2 = swift.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    for each in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
        elbv2.delete_listener(ListenerArn=each["ListenerArn"])


@hop("load-balancer-missing", "load balancer", has_url=False, refuses=True)
def _no_load_balancer(swift: EmbeddedProcess) -> None:
    elbv2 = swift.client("elbv2")
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


@hop("distribution-missing", "distribution", has_url=False)
def _no_distribution(swift: EmbeddedProcess) -> None:
    edit(swift, lambda found: found.update(Enabled=False))
    cloudfront = swift.client("cloudfront")
    (listed,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    etag = cloudfront.get_distribution(Id=listed["Id"])["ETag"]
    cloudfront.delete_distribution(Id=listed["Id"], IfMatch=etag)


@hop("vpc-origin-missing", "VPC origin", has_url=False)
def _no_vpc_origin(swift: EmbeddedProcess) -> None:
    """Only one that no distribution uses can be deleted."""
    _no_distribution(swift)
    cloudfront = swift.client("cloudfront")
    for each in cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]:
        etag = cloudfront.get_vpc_origin(Id=each["Id"])["ETag"]
        cloudfront.delete_vpc_origin(Id=each["Id"], IfMatch=etag)
    eventually(lambda: not cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"])


def edit(swift: EmbeddedProcess, how: Callable[[dict[str, Any]], object]) -> None:
    """Edit the distribution's configuration by hand, and wait until every edge knows that."""
    cloudfront, id = swift.client("cloudfront"), change(swift, how)
    eventually(lambda: cloudfront.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed")


def change(swift: EmbeddedProcess, how: Callable[[dict[str, Any]], object]) -> str:
    """Edit it, and do not wait; its id."""
    cloudfront = swift.client("cloudfront")
    (listed,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    found = cloudfront.get_distribution_config(Id=listed["Id"])
    config = deepcopy(found["DistributionConfig"])
    how(config)
    cloudfront.update_distribution(Id=listed["Id"], IfMatch=found["ETag"], DistributionConfig=config)
    return str(listed["Id"])


@pytest.mark.parametrize("code", HOPS)
def test_a_verdict_names_the_hop_that_fails(swift: EmbeddedProcess, url: str, code: str) -> None:
    aws, settings, broken = library(swift), load(SETTINGS), HOPS[code]
    address = rollout.status(aws, settings).url
    assert address is not None
    broken.do(swift)
    seen = rollout.status(aws, settings)
    assert seen.url == (address if broken.has_url else None)
    named = [(each.kind, each.trouble) for each in seen.way if each.trouble]
    assert [(kind, trouble.code) for kind, trouble in named] == ([(broken.kind, code)] if broken.kind else [])
    assert all(trouble.remedy == "inv setup-fargate" for _, trouble in named)
    assert verdict(aws, settings, broken) == ("refused" if broken.refuses else "failed", code, seen.url)
    if broken.undo:
        broken.undo(swift)
    converge.bring(aws, stack.build(settings, aws.account))
    again = rollout.deploy(aws, settings, "one")
    assert (again.verdict, again.url) == ("live", rollout.status(aws, settings).url)
    assert again.url is not None


def verdict(aws: Aws, settings: Settings, broken: Broken) -> tuple[str, str, str | None]:
    """What a release ends with: verdict, cause, and address."""
    if broken.refuses:
        with pytest.raises(NotReadyError) as refused:
            rollout.deploy(aws, settings, "one")
        assert refused.value.next_step.startswith("inv ")
        return "refused", refused.value.code, None
    ended = rollout.deploy(aws, settings, "one")
    assert ended.cause is not None, ended.why
    assert ended.cause.remedy.startswith("inv ")
    return ended.verdict, ended.cause.code, ended.url


def test_a_release_of_who_is_in_a_country_that_is_not_let_in_says_so(
    swift: EmbeddedProcess, url: str
) -> None:
    """CloudFront answers 403, and not the app."""
    aws, settings = library(swift), load(SETTINGS)
    german = {"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["DE"]}}
    edit(swift, lambda found: found.update(Restrictions=german))
    swift.order({"viewer_country": "FR"})
    ended = rollout.deploy(aws, settings, "one")
    assert ended.verdict == "live"
    (told,) = [each for each in ended.findings if each.code == "country-blocked"]
    assert "only DE" in told.message
    checks, _ = doctor.consult(aws, settings, ["answers.page"])
    assert (checks["answers.page"].status, "only DE" in checks["answers.page"].saw) == ("skip", True)
    swift.order({"viewer_country": "DE"})
    again = rollout.deploy(aws, settings, "one")
    assert (again.verdict, [each.code for each in again.findings if each.code == "country-blocked"]) == (
        "live",
        [],
    )
    swift.forgive()
    open_again = {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}
    edit(swift, lambda found: found.update(Restrictions=open_again))


def test_an_error_page_of_the_distribution_is_not_taken_for_the_app(swift: EmbeddedProcess, url: str) -> None:
    """Somebody has CloudFront answer 200 where the app answers 500: no release is live by that page."""
    aws = library(swift)
    page = {"ErrorCode": 500, "ResponsePagePath": "/", "ResponseCode": "200"}
    edit(swift, lambda found: found.update(CustomErrorResponses={"Quantity": 1, "Items": [page]}))
    assert [each.resource.label for each in converge.plan(*read(aws)).changes] == []
    failing = load({**SETTINGS, "probe": {"path": "/status?code=500"}})
    ended = rollout.deploy(aws, failing, "one")
    assert (ended.verdict, ended.cause and ended.cause.code) == ("failed", "error-page")
    checks, _ = doctor.consult(aws, failing, ["answers.page"])
    assert checks["answers.page"].status == "fail"
    again = rollout.deploy(aws, load(SETTINGS), "one")
    assert (again.verdict, [each.code for each in again.findings]) == ("live", ["error-page"])
    checks, _ = doctor.consult(aws, load(SETTINGS), ["load-balancer.distribution"])
    assert "in place of 500" in checks["load-balancer.distribution"].saw
    edit(swift, lambda found: found.update(CustomErrorResponses={"Quantity": 0}))
    assert rollout.deploy(aws, load(SETTINGS), "one").findings == ()


def read(aws: Aws) -> tuple[stack.Stack, Mapping[stack.Resource, stack.Live | None]]:
    """The stack, and what is there of it."""
    desired = stack.build(load(SETTINGS), aws.account)
    return desired, converge.read(aws, desired)


def test_status_names_where_a_domain_goes_astray(swift: EmbeddedProcess, url: str) -> None:
    """No record, one that leads elsewhere, one that leads to a distribution without the alias, and the repair."""
    aws, plain = library(swift), load(SETTINGS)
    certificate = issued(swift, DOMAIN)
    settings = load(
        {**SETTINGS, "domains": [DOMAIN], "front": {"kind": "cloudfront", "certificate": certificate}}
    )
    (distribution,) = swift.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    assert astray(aws, settings) == ("name-without-record", "inv cutover")
    for name, kind in ((f"*.{DOMAIN.partition('.')[2]}", "CNAME"), (DOMAIN, "NS")):
        record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": "ns.elsewhere.org."}]}
        put(swift, "CREATE", record)
        assert astray(aws, settings) is None  # visitors are led by it
        assert rollout.status(aws, settings).way[0].state == "no alias, DNS not known"
        put(swift, "DELETE", record)
    wildcard = {"Name": f"*.{DOMAIN.partition('.')[2]}", "Type": "A", "TTL": 60}
    wildcard["ResourceRecords"] = [{"Value": "192.0.2.1"}]
    text = {"Name": DOMAIN, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    for record in (wildcard, text):  # no wildcard answers for a name with a record of its own
        put(swift, "CREATE", record)
    assert astray(aws, settings) == ("name-without-record", "inv cutover")
    for record in (wildcard, text):
        put(swift, "DELETE", record)
    lead(swift, "x.us-east-2.awsapprunner.com")
    assert astray(aws, settings) == ("name-elsewhere", "inv cutover")
    lead(swift, distribution["DomainName"])
    assert astray(aws, settings) == ("alias-missing", "inv setup-fargate")
    converge.bring(aws, stack.build(settings, aws.account))
    assert astray(aws, settings) is None
    seen = rollout.status(aws, settings)
    assert seen.way[0].state == "alias, 100% of visitors led here"
    edge, authority = distribution["DomainName"], find_authority(aws, f"https://{distribution['DomainName']}")
    asked = [is_at_edge(name, edge, authority) for name in (DOMAIN, "other.example.com")]
    assert asked == [True, False]
    converge.bring(aws, stack.build(plain, aws.account))
    forget(swift, certificate)


def astray(aws: Aws, settings: Settings) -> tuple[str, str] | None:
    """The cause and the command that the status has for the domain."""
    first = rollout.status(aws, settings).way[0]
    assert (first.kind, first.name) == ("name", DOMAIN)
    return (first.trouble.code, first.trouble.remedy) if first.trouble else None


def zone_of(swift: EmbeddedProcess) -> str:
    """The id of the one hosted zone."""
    (zone,) = swift.client("route53").list_hosted_zones()["HostedZones"]
    return str(zone["Id"])


def lead(swift: EmbeddedProcess, host: str) -> None:
    """Let a CNAME record of the domain lead to a host."""
    record = {"Name": DOMAIN, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": host}]}
    put(swift, "UPSERT", record)


def put(swift: EmbeddedProcess, action: str, record: Mapping[str, Any]) -> None:
    """Change one record."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    swift.client("route53").change_resource_record_sets(HostedZoneId=zone_of(swift), ChangeBatch=batch)


def forget(swift: EmbeddedProcess, certificate: str) -> None:
    """Delete the certificate, the records and their zone."""
    route53, zone = swift.client("route53"), zone_of(swift)
    listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    for each in listed:
        if each["Type"] == "CNAME":
            batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": each}]}
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    route53.delete_hosted_zone(Id=zone)
    swift.client("acm", "us-east-1").delete_certificate(CertificateArn=certificate)


def account(swift: EmbeddedProcess, folder: Path) -> Any:
    """All that there is but the role of somebody else's."""
    found = json.loads(json.dumps(dump(swift, folder / "nothing"), default=str))
    found["roles"].pop(BLIND, None)
    return found


def test_a_teardown_leaves_nothing(swift: EmbeddedProcess, project: Project, url: str) -> None:
    cloudfront = swift.client("cloudfront")
    for each in cloudfront.list_vpc_origins()["VpcOriginList"]["Items"]:
        if each["Name"].startswith(THEIRS):
            etag = cloudfront.get_vpc_origin(Id=each["Id"])["ETag"]
            cloudfront.delete_vpc_origin(Id=each["Id"], IfMatch=etag)
    project.inv("teardown", "--yes", "--data").check()
    before = json.loads((project.folder / "before").read_text())
    eventually(lambda: account(swift, project.folder) == before)
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cloudfront.list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
