"""Which services the gate of the firewall is about, and what it does where App Runner cannot be asked."""

from __future__ import annotations

import pytest

from lobster_tasks.apprunner.firewalls import refuse_unprotected
from lobster_tasks.aws import Aws
from lobster_tasks.errors import RefusedError
from lobster_tasks.settings import Settings, load
from tests.embedded.apprunner_stack import Sites
from tests.embedded.firewalls import associate, web_acl
from tests.embedded_process import EmbeddedProcess

DENIED = {"operation": "ListServices", "error": {"code": "AccessDeniedException"}}


def settings(service: str = "") -> Settings:
    """The plan's, perhaps with a service that is moved."""
    return load({"apprunner": {"service": service}} if service else {})


def test_it_is_about_the_service_that_visitors_leave_and_the_one_that_is_named(
    aws: Aws, embedded: EmbeddedProcess
) -> None:
    sites = Sites(embedded)
    source = {"ImageIdentifier": "public.ecr.aws/nginx/nginx:latest", "ImageRepositoryType": "ECR_PUBLIC"}
    service = sites.create("walled", SourceConfiguration={"ImageRepository": source})
    associate(embedded, web_acl(embedded, "wall"), service["ServiceArn"])
    assert refuse_unprotected(aws, settings(), {"elsewhere"}) == ()
    for named, hosts in (
        ("walled", set[str]()),
        (service["ServiceArn"], set()),
        ("", {service["ServiceUrl"]}),
    ):
        with pytest.raises(RefusedError, match="lose their web ACL"):
            refuse_unprotected(aws, settings(named), hosts)
    (told,) = refuse_unprotected(aws, settings("walled"), (), ("firewall-lost",))
    assert told.startswith("accepted (firewall-lost): web ACL wall protects walled, and no web ACL")


def test_a_named_service_that_may_not_be_looked_for_is_not_known(aws: Aws, embedded: EmbeddedProcess) -> None:
    embedded.order(DENIED)
    (told,) = refuse_unprotected(aws, settings(), {"elsewhere"})
    assert "cannot be read" in told
    with pytest.raises(RefusedError) as refused:
        refuse_unprotected(aws, settings("walled"), ())
    assert "inv cutover --accept firewall-unknown" in refused.value.next_step
    assert refuse_unprotected(aws, settings("walled"), (), ("firewall-unknown",))[0].startswith("accepted")
