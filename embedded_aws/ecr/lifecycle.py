"""Validates lifecycle policies across the properties of a rule, and across rules.

Source: Amazon ECR User Guide, "Lifecycle policy properties in Amazon ECR". moto validates names and values of
properties.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..moto.adapter import AwsError
from .requests import invalid

Rule = Mapping[str, Any]


def check_lifecycle_policy(text: str) -> None:
    """Raise InvalidParameterException. A text without rules is left to moto's validation."""
    rules = rules_of(text)
    for rule in rules:
        _check_types(rule)
        _check_selection(rule.get("selection", {}))
    priorities = [rule.get("rulePriority", 0) for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise _refused("rulePriority must be unique")
    last = [rule.get("rulePriority") for rule in rules if rule.get("selection", {}).get("tagStatus") == "any"]
    if last and last != [max(priorities)]:
        raise _refused("only one rule can have tagStatus any, with the highest rulePriority")


def rules_of(text: str) -> list[Rule]:
    """The rules of a policy's text; empty where it is not a policy."""
    try:
        rules = json.loads(text).get("rules", [])
    except (AttributeError, ValueError):
        return []
    return [rule for rule in rules if isinstance(rule, Mapping)] if isinstance(rules, list) else []


def _check_types(rule: Rule) -> None:
    selection = rule.get("selection", {})
    for value in (selection, rule.get("action", {})):
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "object")
    for value in (rule.get("rulePriority", 1), selection.get("countNumber", 1)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(value, "integer")


def _check_selection(selection: Rule) -> None:
    tags = selection.get("tagPrefixList") or selection.get("tagPatternList")
    if selection.get("tagStatus") == "tagged" and not tags:
        raise _refused("tagPrefixList or tagPatternList is required with tagStatus tagged")
    if selection.get("tagStatus") != "tagged" and tags:
        raise _refused("tagPrefixList and tagPatternList are for tagStatus tagged only")
    if (selection.get("countType") == "sinceImagePushed") != ("countUnit" in selection):
        raise _refused("countUnit is required with countType sinceImagePushed, and only with it")


def _wrong_type(value: object, allowed: str) -> AwsError:
    return _refused(
        f"instance type ({type(value).__name__}) does not match any allowed primitive type "
        f'(allowed: ["{allowed}"])'
    )


def _refused(why: str) -> AwsError:
    return invalid("LifecyclePolicyText", f"Lifecycle policy validation failure: {why}")
