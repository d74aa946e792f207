"""The condition keys of a call.

Tags of a resource are known for EC2, ECS, load balancing, scalable targets, certificates and roles; for others a
condition on tags has no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...moto.wire import Call
from . import stored
from .reference import ActionReference
from .request import listed
from .resource_tags import Tags

Context = dict[str, str | list[str]]
Members = Mapping[str, Any]


def of_call(
    account: str, call: Call, action: ActionReference, resource: str, members: Members, tags: Tags
) -> Context:
    """The condition keys of the action, with their values for one of its resources, which has ``tags``."""
    found = {
        **_tags("aws:RequestTag/", request_tags(members)),
        **_tag_keys(members),
        **_resource(account, call, resource, tags),
        **_service(account, call, resource, members),
    }
    return {key: value for key, value in found.items() if action.knows(key)}


def request_tags(members: Members) -> dict[str, str]:
    """The tags in a request, which AWS's services write in five forms."""
    lists = [members.get("tags"), members.get("Tags"), members.get("TagsList")]
    lists.append(members.get("DistributionConfigWithTags", {}).get("Tags"))
    lists += [each.get("Tags") for each in members.get("TagSpecifications") or ()]
    return {key: value for given in lists for key, value in _pairs(given)}


def _pairs(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, Mapping):
        yield from _pairs(given["Items"]) if "Items" in given else given.items()
    for each in given if isinstance(given, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("Key", each.get("key", ""))), str(each.get("Value", each.get("value", "")))


def _tag_keys(members: Members) -> Context:
    keys = [*request_tags(members), *listed(members.get("TagKeys")), *listed(members.get("tagKeys"))]
    return {"aws:TagKeys": keys} if keys else {}


def _tags(prefix: str, tags: Mapping[str, str]) -> Context:
    return {f"{prefix}{key}": value for key, value in tags.items()}


def _resource(account: str, call: Call, resource: str, tags: Tags) -> Context:
    found = _tags("aws:ResourceTag/", tags) | _tags(f"{call.service}:ResourceTag/", tags)
    if ":security-group/sg-" in resource:
        vpc = stored.vpc_of_group(account, call.region, resource.rpartition("/")[2])
        found |= {"ec2:Vpc": f"arn:aws:ec2:{call.region}:{account}:vpc/{vpc}"} if vpc else {}
    return found


def _service(account: str, call: Call, resource: str, members: Members) -> Context:
    if call.service == "ecs":
        return _ecs(account, call, resource, members)
    if call.service == "ec2":
        return {"ec2:Region": call.region}
    if call.service in _ASKED_FOR:
        return _ASKED_FOR[call.service](members)
    return _iam(account, resource, members) if call.service == "iam" else {}


def _iam(account: str, resource: str, members: Members) -> Context:
    """``iam:PermissionsBoundary`` is the request's boundary; without one, the role's or user's."""
    names = {
        "iam:AWSServiceName": "AWSServiceName",
        "iam:PermissionsBoundary": "PermissionsBoundary",
        "iam:PolicyARN": "PolicyArn",
    }
    boundary = stored.boundary_of(account, resource)
    found: Context = {"iam:PermissionsBoundary": boundary} if boundary else {}
    return found | {key: members[name] for key, name in names.items() if name in members}


def _ecs(account: str, call: Call, resource: str, members: Members) -> Context:
    return _cluster(account, call, resource, members) | _definition(account, call, members)


def _definition(account: str, call: Call, members: Members) -> Context:
    """``ecs:task-definition`` is an ARN, whether the request has a name and revision or an ARN."""
    given = str(members.get("taskDefinition") or "")
    if not given:
        return {}
    arn = f"arn:aws:ecs:{call.region}:{account}:task-definition/{given}"
    return {"ecs:task-definition": given if given.startswith("arn:") else arn}


def _cluster(account: str, call: Call, resource: str, members: Members) -> Context:
    """``ecs:cluster`` is an ARN, whether the request has the cluster's name, its ARN, or a deployment's."""
    arn, kind = f"arn:aws:ecs:{call.region}:{account}:", resource.split(":")[-1].split("/")
    if kind[0] in ("service-deployment", "service-revision"):
        return {"ecs:cluster": f"{arn}cluster/{kind[1]}", "ecs:service": f"{arn}service/{kind[1]}/{kind[2]}"}
    if kind[0] in ("container-instance", "service", "task") and len(kind) == 3:
        return {"ecs:cluster": f"{arn}cluster/{kind[1]}"}
    name = str(members.get("cluster") or "default").rpartition("/")[2]
    return {"ecs:cluster": f"{arn}cluster/{name}"} if kind[0] in ("*", "task-definition") else {}


def _acm(members: Members) -> Context:
    names = (
        [members["DomainName"], *members.get("SubjectAlternativeNames", ())]
        if "DomainName" in members
        else []
    )
    found: Context = {"acm:DomainNames": [name.lower() for name in dict.fromkeys(names)]}
    return found | (
        {"acm:ValidationMethod": members["ValidationMethod"]} if "ValidationMethod" in members else {}
    )


def _route53(members: Members) -> Context:
    """Names are normalized: "Using IAM policy conditions for fine-grained access control" (Route 53)."""
    changes = members.get("ChangeBatch", {}).get("Changes", ())
    prefix = "route53:ChangeResourceRecordSets"
    records = [each["ResourceRecordSet"] for each in changes]
    return {
        f"{prefix}NormalizedRecordNames": sorted({_normalized(each["Name"]) for each in records}),
        f"{prefix}RecordTypes": sorted({each["Type"] for each in records}),
        f"{prefix}Actions": sorted({each["Action"] for each in changes}),
    }


def _normalized(name: str) -> str:
    """Lower case, without the trailing dot, and with octal codes for characters outside host names."""
    return re.sub(r"[^a-z0-9_.\\-]", lambda found: f"\\{ord(found[0]):03o}", name.lower().rstrip("."))


_ASKED_FOR = {"acm": _acm, "route53": _route53}
