"""Maps AWS's stop reasons and events to cause codes. Pure.

Text from others in them is ignored: the reason given to StopTask, and names that people choose.

Sources: Amazon ECS Developer Guide, "Amazon ECS stopped tasks error messages" with the page of each of its
categories, "CannotPullContainer task errors in Amazon ECS", "Amazon ECS service event messages", "Amazon ECS API
failure reasons", "Task retirement and maintenance for AWS Fargate".
"""

from __future__ import annotations

import re

from ..observation.aws_words import BY_USER, plain, without_empty_causes, without_names
from .causes import RECORDS, Lead

ELB, EXITED, ROLE = Lead.ELB, Lead.EXITED, Lead.ROLE

_RANKED = sorted(
    ((sign, code) for code, record in RECORDS.items() for sign in record.signs), key=lambda each: each[0].rank
)
_SIGNS = tuple((re.compile(sign.pattern, re.DOTALL), (code, *sign.also)) for sign, code in _RANKED)
_STOP_CODES = {each: (code,) for code, record in RECORDS.items() for each in record.stop_codes}


def codes_of(text: str, stop_code: str = "") -> tuple[str, ...]:
    """The codes that match a stop reason or an event, the likelier first; empty for unknown texts.

    ``stop_code`` takes precedence where AWS does not write the text: StopTask accepts any reason ("StopTask",
    reason).
    """
    if stop_code == BY_USER:
        return _STOP_CODES[BY_USER]
    said = without_names(without_empty_causes(plain(text)))
    found = next((codes for pattern, codes in _SIGNS if pattern.search(said)), ())
    return found or _STOP_CODES.get(stop_code, ())
