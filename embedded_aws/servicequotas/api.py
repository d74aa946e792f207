"""Service Quotas: only those of Fargate exist."""

from __future__ import annotations

import json

from ..ecs.capacity import Capacity
from ..moto.adapter import AwsError, ServiceQuotasResponse

FARGATE = {
    "L-3032A538": ("FARGATE", "Fargate On-Demand vCPU resource count"),
    "L-36FBB829": ("FARGATE_SPOT", "Fargate Spot vCPU resource count"),
}


class ServiceQuotas(ServiceQuotasResponse):
    """Service Quotas."""

    def __init__(self, capacity: Capacity) -> None:
        super().__init__()
        self.capacity = capacity

    def get_service_quota(self) -> str:
        """GetServiceQuota: the applied quota; NoSuchResourceException for an unknown one."""
        asked = json.loads(self.body)
        service, code = str(asked.get("ServiceCode")), str(asked.get("QuotaCode"))
        if service != "fargate" or code not in FARGATE:
            raise AwsError("NoSuchResourceException", "The request failed because the quota does not exist.")
        provider, name = FARGATE[code]
        return json.dumps({"Quota": self._quota(code, name, self.capacity.quota(provider))})

    def _quota(self, code: str, name: str, value: float) -> dict[str, object]:
        return {
            "ServiceCode": "fargate",
            "ServiceName": "AWS Fargate",
            "QuotaArn": f"arn:aws:servicequotas:{self.region}:{self.current_account}:fargate/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
            "QuotaAppliedAtLevel": "ACCOUNT",
        }
