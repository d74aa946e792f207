"""Elastic Load Balancing v2: Application Load Balancers.

moto keeps the resources and their tags; what is refused, what is given back and what an operation does to the
data plane is decided here. Network and Gateway Load Balancers, Lambda targets and authentication are refused.
"""

from __future__ import annotations

from .listeners import Rules
from .load_balancers import LoadBalancers
from .target_groups import TargetGroups


class ElasticLoadBalancingV2(LoadBalancers, TargetGroups, Rules):
    """Every operation."""
