"""Moves the app's domains from App Runner to Fargate: a certificate, HTTPS, then DNS by weight.

The account is the only state: the certificate in ACM, the listeners and the weights of the records show the
progress, so each run continues where the previous one stopped.
"""

from ...account import (
    Address,
    HostedDomains,
    Lead,
    LookUp,
    find_lead,
    hosted_domains,
    public_dns,
    public_lookup,
)
from .. import firewalls
from .delegation import UNDELEGATED
from .finish import finish, idle_pairs, leave_former
from .outcome import CutoverResult
from .routes import Destination, RequiredRecord, Route
from .run import HOLD_SECONDS, WAIT_SECONDS, cut_over, go_back, preview
from .state import (
    CutoverState,
    LedDomains,
    destination_address,
    destination_name,
    domains_here,
    former_destinations,
    read_state,
    refuse_led_to_former,
)
from .steps import STAGES, CutoverStep, steps

CODES = (*firewalls.CODES, UNDELEGATED)
"""The codes that ``accept`` knows."""

__all__ = [
    "CODES",
    "HOLD_SECONDS",
    "STAGES",
    "WAIT_SECONDS",
    "Address",
    "CutoverResult",
    "CutoverState",
    "CutoverStep",
    "Destination",
    "HostedDomains",
    "Lead",
    "LedDomains",
    "LookUp",
    "RequiredRecord",
    "Route",
    "cut_over",
    "destination_address",
    "destination_name",
    "domains_here",
    "find_lead",
    "finish",
    "former_destinations",
    "go_back",
    "hosted_domains",
    "idle_pairs",
    "leave_former",
    "preview",
    "public_dns",
    "public_lookup",
    "read_state",
    "refuse_led_to_former",
    "steps",
]
