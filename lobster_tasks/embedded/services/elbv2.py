"""Elastic Load Balancing v2."""

from __future__ import annotations

from ..moto_door import ELBV2Response


class ElasticLoadBalancingV2(ELBV2Response):
    """Elastic Load Balancing v2, Application Load Balancers."""
