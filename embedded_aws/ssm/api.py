"""AWS Systems Manager: Parameter Store."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from ..moto.adapter import ActionResult, AwsError, SimpleSystemManagerResponse

LEVELS_MOST, STANDARD_MOST = 15, 4096
NAME = re.compile(r"[A-Za-z0-9_.\-/]{1,2048}")


class Ssm(SimpleSystemManagerResponse):
    """Parameters; the value of a SecureString is not readable without decryption."""

    def serialized(self, action_result: ActionResult) -> Any:
        """The serialized result; ParameterNotFound has no message."""
        if getattr(action_result.result, "code", None) == "ParameterNotFound":
            action_result = ActionResult(AwsError("ParameterNotFound", ""))
        return super().serialized(action_result)

    def put_parameter(self) -> ActionResult:
        """PutParameter, with a valid name."""
        name = self._get_param("Name")
        if not NAME.fullmatch(name.removeprefix(self._prefix())):
            message = (
                'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it '
                "can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
                "letters, numbers and the following 3 symbols .-_"
            )
            raise AwsError("ValidationException", message)
        if "/" in name and not name.startswith(("/", "arn:")):
            raise AwsError("ValidationException", "Parameter name must be a fully qualified name")
        if name.strip("/").count("/") >= LEVELS_MOST:
            message = f"Parameter name must not exceed {LEVELS_MOST} levels in the hierarchy."
            raise AwsError("HierarchyLevelLimitExceededException", message)
        if (
            self._get_param("Tier", "Standard") == "Standard"
            and len(self._get_param("Value")) > STANDARD_MOST
        ):
            message = (
                f"Standard tier parameters support a maximum parameter value of {STANDARD_MOST} characters. To create "
                "a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
            )
            raise AwsError("ValidationException", message)
        return super().put_parameter()

    def get_parameter(self) -> ActionResult:
        """GetParameter."""
        answer = super().get_parameter()
        self._seal([answer.result["Parameter"]])
        return answer

    def get_parameters(self) -> ActionResult:
        """GetParameters."""
        answer = super().get_parameters()
        self._seal(answer.result["Parameters"])
        return answer

    def get_parameters_by_path(self) -> ActionResult:
        """GetParametersByPath."""
        answer = super().get_parameters_by_path()
        self._seal(answer.result["Parameters"])
        return answer

    def _prefix(self) -> str:
        return f"arn:aws:ssm:{self.region}:{self.current_account}:parameter"

    def _seal(self, parameters: Iterable[dict[str, Any]]) -> None:
        if self._get_param("WithDecryption"):
            return
        for parameter in parameters:
            if parameter["Type"] == "SecureString":
                cipher = sha256(parameter["Value"].encode()).digest()
                parameter["Value"] = "AQICAH" + b64encode(cipher).decode()
