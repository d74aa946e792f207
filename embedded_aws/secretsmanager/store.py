"""The secrets of AWS Secrets Manager: moto's store, corrected where AWS differs."""

from __future__ import annotations

import re
from typing import Any

from ..moto.adapter import AwsError, SecretsManagerBackend, aws_errors, secretsmanager_backends

NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
BOTH = "You can't specify both a binary secret value and a string secret value in the same secret."
MARKED = "You can't perform this operation on the secret because it was marked for deletion."


class SecretsStore(SecretsManagerBackend):
    """The secrets of one account in one region."""

    def create_secret(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Create a secret with a valid and unused name."""
        if not NAME.fullmatch(name):
            message = (
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
                "following: -/_+=.@!"
            )
            raise AwsError("ValidationException", message)
        if name in self.secrets:
            if self.secrets[name].is_deleted():
                message = (
                    "You can't create this secret because a secret with this name is already scheduled for "
                    "deletion."
                )
                raise AwsError("InvalidRequestException", message)
            message = f"The operation failed because the secret {name} already exists."
            raise AwsError("ResourceExistsException", message)
        _check_one_value(*args, **kwargs)
        if any(not each.get("Region") for each in kwargs.get("replica_regions") or ()):
            raise AwsError("InvalidParameterException", "You must specify the Region of each replica.")
        with aws_errors():
            return super().create_secret(name, *args, **kwargs)

    def get_secret_value(
        self, secret_id: str, version_id: str | None, version_stage: str | None
    ) -> dict[str, Any]:
        """The value of a version, by its id or stage (by default AWSCURRENT)."""
        secret = self._live(secret_id)
        version = self._version(secret, version_id, version_stage)
        with aws_errors():
            return dict(super().get_secret_value(secret_id, version, None))

    def batch_get_secret_value(
        self, secret_id_list: list[str] | None = None, *args: Any, **kwargs: Any
    ) -> tuple[list[dict[str, Any]], list[dict[str, str]], str | None]:
        """The values of several secrets, and an error for each without one."""
        if not secret_id_list:
            with aws_errors():
                found: tuple[Any, Any, Any] = super().batch_get_secret_value(None, *args, **kwargs)
                return found
        values, errors = [], []
        for secret_id in secret_id_list:
            try:
                values.append(self.get_secret_value(secret_id, None, None))
            except AwsError as error:
                errors.append({"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message})
        return values, errors, None

    def put_secret_value(self, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        """Create a new version of a secret."""
        _check_one_value(*args, **kwargs)
        self._live(secret_id)
        with aws_errors():
            return super().put_secret_value(secret_id, *args, **kwargs)

    def update_secret(self, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        """Update a secret's value, description or key."""
        _check_one_value(*args, **kwargs)
        self._live(secret_id)
        with aws_errors():
            return super().update_secret(secret_id, *args, **kwargs)

    def describe_secret(self, secret_id: str) -> Any:
        """Describe a secret, including one that is scheduled for deletion."""
        if self.secrets.get(secret_id) is None:
            message = "Secrets Manager can't find the specified secret."
            raise AwsError("ResourceNotFoundException", message)
        with aws_errors():
            return super().describe_secret(secret_id)

    def delete_secret(self, *args: Any, **kwargs: Any) -> Any:
        """Schedule a secret for deletion, or delete it at once."""
        with aws_errors():
            return super().delete_secret(*args, **kwargs)

    def restore_secret(self, secret_id: str) -> Any:
        """Cancel a scheduled deletion."""
        with aws_errors():
            return super().restore_secret(secret_id)

    def _live(self, secret_id: str) -> Any:
        if secret_id not in self.secrets:
            message = "Secrets Manager can't find the specified secret."
            raise AwsError("ResourceNotFoundException", message)
        if self.secrets[secret_id].is_deleted():
            raise AwsError("InvalidRequestException", MARKED)
        return self.secrets[secret_id]

    def _version(self, secret: Any, version_id: str | None, stage: str | None) -> str:
        missing = "Secrets Manager can't find the specified secret value for"
        if version_id:
            if version_id not in secret.versions:
                raise AwsError("ResourceNotFoundException", f"{missing} VersionId: {version_id}")
            if stage and stage not in secret.versions[version_id]["version_stages"]:
                message = "You provided a VersionStage that is not associated to the provided VersionId."
                raise AwsError("InvalidRequestException", message)
            return version_id
        label = stage or "AWSCURRENT"
        for found, version in secret.versions.items():
            if label in version["version_stages"]:
                return str(found)
        raise AwsError("ResourceNotFoundException", f"{missing} staging label: {label}")


def _check_one_value(secret_string: Any = None, secret_binary: Any = None, *_: Any, **__: Any) -> None:
    """Refuse a text and bytes at once, among the arguments of moto's methods: InvalidParameterException."""
    if secret_string is not None and secret_binary is not None:
        raise AwsError("InvalidParameterException", BOTH)


secretsmanager_backends.keep_in(SecretsStore)
