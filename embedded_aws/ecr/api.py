"""Amazon ECR: registries with real images.

moto stores the repositories and their settings; ``runtime.images``, from which tasks pull, stores layers, manifests
and tags.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ..moto.adapter import ActionResult, AwsError
from ..runtime.registry import registry_name
from .images import ImageOperations
from .layers import Layers
from .lifecycle import check_lifecycle_policy, rules_of
from .tokens import Token

SCAN_QUOTA = timedelta(hours=24)  # an image can have a basic scan once in 24 hours


class Ecr(Layers, ImageOperations):
    """Amazon ECR with real images: layers are uploaded, stored and pulled."""

    def describe_repositories(self) -> ActionResult:
        """DescribeRepositories, in pages."""
        every = super().describe_repositories()
        page, more = self.page(list(every.result["repositories"]))
        return ActionResult({"repositories": page, **more})

    def delete_repository(self) -> ActionResult:
        """DeleteRepository; ``force`` is required for one with images."""
        held = self.held()
        if held.manifests and not self._get_param("force"):
            raise AwsError(
                "RepositoryNotEmptyException",
                f"The repository with name '{self.repository_name}' in registry with id '{self.registry_id}' "
                "cannot be deleted because it still contains images",
            )
        answer: ActionResult = super().delete_repository()
        self.images.forget(self.registry_id, self.region, self.repository_name)
        return answer

    def get_authorization_token(self) -> ActionResult:
        """GetAuthorizationToken; the endpoint is the registry's name at this address (see ``distribution``)."""
        token = Token.issued(self.access_key)
        data = [
            {
                "authorizationToken": token.text,
                "expiresAt": token.expires,
                "proxyEndpoint": f"http://{self.headers['Host']}/{registry_name(account, self.region)}",
            }
            for account in self._get_param("registryIds") or [self.current_account]
        ]
        return ActionResult({"authorizationData": data})

    def get_account_setting(self) -> ActionResult:
        """GetAccountSetting."""
        name = str(self._get_param("name"))
        return ActionResult({"name": name, "value": self.store.account_setting(name)})

    def put_account_setting(self) -> ActionResult:
        """PutAccountSetting."""
        name, value = str(self._get_param("name")), str(self._get_param("value"))
        self.store.put_account_setting(name, value)
        return ActionResult({"name": name, "value": value})

    def put_lifecycle_policy(self) -> ActionResult:
        """PutLifecyclePolicy, with the validation that moto lacks."""
        held, text = self.held(), str(self._get_param("lifecyclePolicyText"))
        check_lifecycle_policy(text)
        answer: ActionResult = super().put_lifecycle_policy()
        held.rules = tuple(rules_of(text))
        return answer

    def delete_lifecycle_policy(self) -> ActionResult:
        """DeleteLifecyclePolicy."""
        answer: ActionResult = super().delete_lifecycle_policy()
        self.held().rules = ()
        return answer

    def start_image_scan(self) -> ActionResult:
        """StartImageScan: completes at once, without findings."""
        held, asked = self.held(), self._get_param("imageId")
        digest = self.image(held, asked).digest
        if held.status_of(digest) != "ACTIVE":
            message = "The specified image is archived and cannot be scanned."
            raise AwsError("ImageArchivedException", message)
        before = held.scans.get(digest)
        if before and datetime.now(UTC) - before < SCAN_QUOTA:
            message = "The scan quota per image has been exceeded. Wait and try again."
            raise AwsError("LimitExceededException", message)
        held.scan(digest)
        return self._scan(asked | {"imageDigest": digest}, "IN_PROGRESS")

    def describe_image_scan_findings(self) -> ActionResult:
        """DescribeImageScanFindings."""
        held, asked = self.held(), self._get_param("imageId")
        digest = self.image(held, asked).digest
        if digest not in held.scans:
            named = f"{{imageDigest:'{digest}', imageTag:'{asked.get('imageTag', 'null')}'}}"
            message = f"Image scan does not exist for the image with '{named}' {self.where}"
            raise AwsError("ScanNotFoundException", message)
        at = held.scans[digest]
        found = {
            "imageScanCompletedAt": at,
            "vulnerabilitySourceUpdatedAt": at,
            "findings": [],
            "findingSeverityCounts": {},
        }
        return self._scan(asked | {"imageDigest": digest}, "COMPLETE", imageScanFindings=found)

    def _scan(self, image_id: dict[str, str], status: str, **more: Any) -> ActionResult:
        return ActionResult(
            {**self.place, "imageId": image_id, "imageScanStatus": {"status": status}, **more}
        )
