"""Elastic Load Balancing v2: Application Load Balancers.

moto stores the resources and their tags; this package validates requests, builds answers and changes the data plane.
Network and Gateway Load Balancers, Lambda targets, clients' certificates (MutualAuthentication) and transforms of
requests are refused.
"""

from __future__ import annotations

from .listeners import Rules
from .load_balancers import LoadBalancers
from .target_groups import TargetGroups


class ElasticLoadBalancingV2(LoadBalancers, TargetGroups, Rules):
    """All operations."""
