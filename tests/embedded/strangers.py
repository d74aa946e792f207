"""Another account, whose distributions have aliases that nobody else can have."""

from __future__ import annotations

from typing import Any

from tests.embedded.certificates import make_certificate
from tests.embedded.fronted import CACHING_DISABLED, with_alias
from tests.embedded_process import EmbeddedProcess, eventually

STRANGER = "999999999999"


class Stranger:
    """A client of CloudFront and of ACM, of another account."""

    def __init__(self, aws: EmbeddedProcess) -> None:
        self.cloudfront = _of_stranger(aws, "cloudfront")
        self.acm = _of_stranger(aws, "acm")

    def take(self, *aliases: str) -> list[str]:
        """A distribution with an imported certificate for each alias; their ids."""
        return [self._take(alias) for alias in aliases]

    def _take(self, alias: str) -> str:
        made = make_certificate(alias)
        arn = self.acm.import_certificate(Certificate=made.certificate, PrivateKey=made.key)["CertificateArn"]
        ports = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        origin = {"Id": "app", "DomainName": "origin.example.net", "CustomOriginConfig": ports}
        config = {
            "CallerReference": alias,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "app",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": CACHING_DISABLED,
            },
        }
        answer = self.cloudfront.create_distribution(DistributionConfig=with_alias(config, alias, arn))
        return str(answer["Distribution"]["Id"])

    def leave(self) -> None:
        """Delete every distribution."""
        for id in self._ids():
            found = self.cloudfront.get_distribution_config(Id=id)
            config = {**found["DistributionConfig"], "Enabled": False}
            self.cloudfront.update_distribution(Id=id, IfMatch=found["ETag"], DistributionConfig=config)
        for id in self._ids():
            eventually(lambda id=id: self._distribution(id)["Distribution"]["Status"] == "Deployed")
            self.cloudfront.delete_distribution(Id=id, IfMatch=self._distribution(id)["ETag"])

    def _ids(self) -> list[str]:
        listed = self.cloudfront.list_distributions()["DistributionList"]
        return [each["Id"] for each in listed.get("Items", [])]

    def _distribution(self, id: str) -> Any:
        return self.cloudfront.get_distribution(Id=id)


def _of_stranger(aws: EmbeddedProcess, service: str) -> Any:
    client = aws.client(service, "us-east-1", connect_timeout=60)  # one of its own

    def enter(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = STRANGER

    client.meta.events.register("before-send", enter)
    return client
