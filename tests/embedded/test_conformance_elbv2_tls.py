"""HTTPS listeners.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.embedded.balanced import Balanced, answers
from tests.embedded.certificates import import_certificate, make_certificate
from tests.embedded_process import PATIENCE, eventually
from tests.web_socket import connect


def listen(balanced: Balanced, arn: str, **more: Any) -> str:
    """An HTTPS listener with a certificate."""
    action = balanced.forward(balanced.target_group)
    certificates = [{"CertificateArn": arn}]
    return balanced.listen(443, action, protocol="HTTPS", Certificates=certificates, **more)


def await_tls(balanced: Balanced) -> None:
    """Wait until the load balancer speaks TLS."""
    eventually(lambda: shown(balanced, "any"))


def shown(balanced: Balanced, name: str) -> bytes | None:
    """The certificate that a client is shown who asks for a server name; None without TLS."""
    host, _, port = balanced.host.partition(":")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=PATIENCE) as plain,
            tls(plain, name) as secure,
        ):
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"").encode()
    except OSError:
        return None


@contextmanager
def tls(plain: socket.socket, name: str) -> Iterator[ssl.SSLSocket]:
    """A TLS client that trusts everybody."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(plain, server_hostname=name) as secure:
        yield secure


def pem(data: bytes | None) -> list[bytes]:
    """The lines of a certificate."""
    return (data or b"").split()


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_http_and_https_side_by_side(balanced: Balanced) -> None:
    """Both listeners answer, on the one port that a load balancer has here; the target learns which it was."""
    site = balanced.add("one")
    listen(balanced, import_certificate(balanced, "app.example.com")[0])
    await_tls(balanced)
    site.seen.clear()
    assert requests.get(balanced.url, timeout=PATIENCE).text == "one"
    assert requests.get(f"https://{balanced.host}", timeout=PATIENCE, verify=False).text == "one"
    seen = [(one.header("X-Forwarded-Proto"), one.header("X-Forwarded-Port")) for one in site.seen]
    assert seen == [("http", "80"), ("https", "443")]


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_redirect_to_https_arrives(balanced: Balanced) -> None:
    """The usual pair: port 80 redirects, port 443 serves."""
    balanced.add("one")
    listen(balanced, import_certificate(balanced, "app.example.com")[0])
    settings = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    action = {"Type": "redirect", "RedirectConfig": settings}
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[action])
    await_tls(balanced)
    answer = requests.get(f"{balanced.url}/a", timeout=PATIENCE, verify=False)
    assert (answer.text, answer.url, len(answer.history)) == ("one", f"https://{balanced.host}/a", 1)


def test_an_imported_certificate_is_shown(balanced: Balanced) -> None:
    """The listener's certificate, where ACM has its key."""
    arn, made = import_certificate(balanced, "app.example.com")
    listen(balanced, arn)
    await_tls(balanced)
    assert pem(shown(balanced, "app.example.com")) == pem(made.certificate)


def test_further_certificates_are_chosen_by_name(balanced: Balanced) -> None:
    """AddListenerCertificates, SNI: "the load balancer selects the optimal certificate for the client"."""
    first, made_first = import_certificate(balanced, "one.example.com")
    second, made_second = import_certificate(balanced, "two.example.com")
    arn = listen(balanced, first)
    balanced.elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    await_tls(balanced)
    eventually(lambda: pem(shown(balanced, "two.example.com")) == pem(made_second.certificate))
    assert pem(shown(balanced, "other.example.com")) == pem(made_first.certificate)
    listed = balanced.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
    assert [(one["CertificateArn"], one["IsDefault"]) for one in listed] == [(first, True), (second, False)]


def test_a_certificate_of_iam_is_shown(balanced: Balanced) -> None:
    """Certificate.CertificateArn: of ACM, or a server certificate of IAM."""
    made = make_certificate("app.example.com")
    uploaded = balanced.aws.client("iam").upload_server_certificate(
        ServerCertificateName="app", CertificateBody=made.certificate.decode(), PrivateKey=made.key.decode()
    )
    listen(balanced, uploaded["ServerCertificateMetadata"]["Arn"])
    await_tls(balanced)
    assert pem(shown(balanced, "app.example.com")) == pem(made.certificate)


def test_websockets_over_tls(balanced: Balanced) -> None:
    """ "You can use WebSockets with both HTTP and HTTPS listeners." """
    site = balanced.add("one")
    listen(balanced, import_certificate(balanced, "app.example.com")[0])
    await_tls(balanced)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(f"wss://{balanced.host}/ws", ssl=context, max_size=None) as socket_:
        socket_.send(b"x" * 3_000_000)
        assert socket_.recv() == b"x" * 3_000_000
    assert site.seen[-1].header("X-Forwarded-Proto") == "https"


def test_each_protocol_only_where_a_listener_is(balanced: Balanced) -> None:
    """Without a listener for it, HTTP is refused, and so is HTTPS."""
    balanced.add("one")
    assert shown(balanced, "any") is None
    listen(balanced, import_certificate(balanced, "app.example.com")[0])
    balanced.elb.delete_listener(ListenerArn=balanced.listener)
    await_tls(balanced)
    assert not answers(balanced.url)


# What is refused


def refused(balanced: Balanced, **more: Any) -> dict[str, str]:
    """The error of CreateListener for an HTTPS listener."""
    action = balanced.forward(balanced.target_group)
    with pytest.raises(ClientError) as error:
        balanced.listen(443, action, protocol="HTTPS", **more)
    found: dict[str, str] = error.value.response["Error"]
    return found


def test_https_needs_a_certificate(balanced: Balanced) -> None:
    """CreateListener.Certificates: "You must provide exactly one certificate if the protocol is HTTPS"."""
    assert refused(balanced)["Message"] == "A certificate must be specified for HTTPS listeners"


def test_the_certificate_must_exist(balanced: Balanced) -> None:
    """CertificateNotFound: "The specified certificate does not exist." """
    arn = "arn:aws:acm:us-east-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
    assert refused(balanced, Certificates=[{"CertificateArn": arn}]) == {
        "Type": "Sender",
        "Code": "CertificateNotFound",
        "Message": f"Certificate '{arn}' not found",
    }


def test_the_certificate_must_be_issued(balanced: Balanced) -> None:
    """UnsupportedCertificate, for one that is PENDING_VALIDATION."""
    asked = balanced.aws.client("acm").request_certificate(
        DomainName="app.example.com", ValidationMethod="DNS"
    )
    arn = asked["CertificateArn"]
    error = refused(balanced, Certificates=[{"CertificateArn": arn}])
    text = "must have a fully-qualified domain name, a supported signature, and a supported key size."
    assert (error["Code"], error["Message"]) == ("UnsupportedCertificate", f"The certificate '{arn}' {text}")


def test_the_security_policy(balanced: Balanced) -> None:
    """SslPolicy: "The default is the current predefined security policy"; SSLPolicyNotFound for an unknown one."""
    arn, _ = import_certificate(balanced, "app.example.com")
    error = refused(balanced, Certificates=[{"CertificateArn": arn}], SslPolicy="nonsense")
    assert (error["Code"], error["Message"]) == ("SSLPolicyNotFound", "SSL policy 'nonsense' not found")
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    listener = listen(balanced, arn, SslPolicy=policy)
    (found,) = balanced.elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    assert (found["SslPolicy"], found["Certificates"]) == (policy, [{"CertificateArn": arn}])
