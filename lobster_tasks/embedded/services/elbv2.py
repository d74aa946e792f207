"""Elastic Load Balancing v2: Application Load Balancers.

moto keeps the resources and their tags; what is refused, what is given back and what an operation does to the
data plane is decided here. Network and Gateway Load Balancers, Lambda targets and authentication are refused.
"""

from __future__ import annotations

from .elbv2_listeners import Rules
from .elbv2_load_balancers import LoadBalancers
from .elbv2_target_groups import TargetGroups


class ElasticLoadBalancingV2(LoadBalancers, TargetGroups, Rules):
    """Every operation."""
