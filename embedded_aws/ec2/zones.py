"""Local Zones and Wavelength Zones, of which an account sees those that it has opted in to.

Sources: EC2 API Reference, DescribeAvailabilityZones ("the Availability Zones, Local Zones, and Wavelength
Zones that are available to you"; AllAvailabilityZones: "regardless of your opt-in status") and
ModifyAvailabilityZoneGroup; the lists "AWS Local Zones locations" and "AWS Wavelength locations".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LOCAL, WAVELENGTH = "local-zone", "wavelength-zone"


@dataclass(frozen=True)
class EdgeZone:
    """A Local Zone or a Wavelength Zone, in the shape of moto's Zone."""

    name: str
    region_name: str
    zone_id: str
    zone_type: str
    group: str
    parent: str
    state: str = "available"
    messages: tuple[Any, ...] = field(default=())


EDGE_ZONES = (
    EdgeZone("us-east-1-bos-1a", "us-east-1", "use1-bos1-az1", LOCAL, "us-east-1-bos-1", "us-east-1d"),
    EdgeZone(
        "us-east-1-wl1-bos-wlz-1", "us-east-1", "use1-wl1-bos-wlz1", WAVELENGTH, "us-east-1-wl1", "us-east-1a"
    ),
    EdgeZone("us-west-2-lax-1a", "us-west-2", "usw2-lax1-az1", LOCAL, "us-west-2-lax-1", "us-west-2b"),
    EdgeZone(
        "us-west-2-wl1-las-wlz-1", "us-west-2", "usw2-wl1-las-wlz1", WAVELENGTH, "us-west-2-wl1", "us-west-2a"
    ),
)


def of_region(region: str) -> list[EdgeZone]:
    """The region's edge zones, whether the account has opted in or not."""
    return [zone for zone in EDGE_ZONES if zone.region_name == region]


def answer(zone: Any, opted_in: set[str]) -> dict[str, Any]:
    """A zone in the shape of DescribeAvailabilityZones."""
    shown = {
        "State": zone.state,
        "Messages": [],
        "RegionName": zone.region_name,
        "ZoneName": zone.name,
        "ZoneId": zone.zone_id,
        "ZoneType": zone.zone_type,
        "GroupName": f"{zone.region_name}-zg-1",
        "NetworkBorderGroup": zone.region_name,
        "OptInStatus": "opt-in-not-required",
    }
    if isinstance(zone, EdgeZone):
        shown |= {"GroupName": zone.group, "NetworkBorderGroup": zone.group, "ParentZoneName": zone.parent}
        shown["OptInStatus"] = "opted-in" if zone.group in opted_in else "not-opted-in"
    return shown
