"""Calls to AWS that several packages make, for services, task definitions, distributions and more; and VPC routes.

Results have AWS's shape and names; None stands for a resource that does not exist.
"""

from .app_runner import APP_RUNNER_REGIONS, describe_app_runner_services, list_app_runner_services
from .distributions import (
    Front,
    aliases_of,
    cloudfront_tags,
    distributions_of,
    find_distribution,
    find_distribution_before,
    find_front,
    find_vpc_origin,
    hidden_errors,
    list_distributions,
    list_vpc_origins,
)
from .embedded import find_authority, is_embedded, runs_containers
from .endpoints import EndpointFault, endpoint_services
from .hosted_domains import (
    ADDRESS_TYPES,
    AmbiguousZoneError,
    HostedDomains,
    NameServers,
    Record,
    apex_of,
    bare,
    hosted_domains,
    is_left_to_others,
    leads_to,
    public_dns,
    records_of,
    share_of,
    target,
)
from .leads import (
    NO_ADDRESS,
    Address,
    Lead,
    LookUp,
    PublicDns,
    find_lead,
    hurried_dns,
    is_at_edge,
    public_lookup,
)
from .load_balancers import with_live_names
from .log_groups import has_log_group
from .own_address import find_own_address
from .roles import delete_role
from .routes import BLACKHOLE, default_route_of, has_internet_gateway, route_table_of
from .security_groups import covers_port, lets_in, peers_of
from .services import CLUSTER_NOT_FOUND, describe_service, describe_services, find_service, is_at_rest
from .target_groups import describe_target_health, find_target_group, find_target_health
from .task_definitions import find_task_definition

__all__ = [
    "ADDRESS_TYPES",
    "APP_RUNNER_REGIONS",
    "BLACKHOLE",
    "CLUSTER_NOT_FOUND",
    "NO_ADDRESS",
    "Address",
    "AmbiguousZoneError",
    "EndpointFault",
    "Front",
    "HostedDomains",
    "Lead",
    "LookUp",
    "NameServers",
    "PublicDns",
    "Record",
    "aliases_of",
    "apex_of",
    "bare",
    "cloudfront_tags",
    "covers_port",
    "default_route_of",
    "delete_role",
    "describe_app_runner_services",
    "describe_service",
    "describe_services",
    "describe_target_health",
    "distributions_of",
    "endpoint_services",
    "find_authority",
    "find_distribution",
    "find_distribution_before",
    "find_front",
    "find_lead",
    "find_own_address",
    "find_service",
    "find_target_group",
    "find_target_health",
    "find_task_definition",
    "find_vpc_origin",
    "has_internet_gateway",
    "has_log_group",
    "hidden_errors",
    "hosted_domains",
    "hurried_dns",
    "is_at_edge",
    "is_at_rest",
    "is_embedded",
    "is_left_to_others",
    "leads_to",
    "lets_in",
    "list_app_runner_services",
    "list_distributions",
    "list_vpc_origins",
    "peers_of",
    "public_dns",
    "public_lookup",
    "records_of",
    "route_table_of",
    "runs_containers",
    "share_of",
    "target",
    "with_live_names",
]
