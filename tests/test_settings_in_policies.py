"""No text of a setting means more in a policy than itself: it is refused by its key, or stands there as plain text."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from lobster_tasks import templates
from lobster_tasks.errors import SettingsError
from lobster_tasks.image_reference import ecr_image
from lobster_tasks.settings import Settings, keys, load
from tests.tasks.test_settings_files import GIVEN, SECRET

ACCOUNT = "123456789012"
HERE = f"us-east-2:{ACCOUNT}"
SPECIAL = ("*", "?", "${aws:username}", "$", '"', "\\", "\n", "{{ name }}", "${*}")
CERTIFICATE = f"arn:aws:acm:{HERE}:certificate/0"
_URL = "https://login.example.com/a"
ENDPOINTS = dict.fromkeys(("issuer", "authorization_endpoint", "token_endpoint", "user_info_endpoint"), _URL)
PLAIN: dict[str, Any] = {
    "domains": ["app.example.com"],
    "scaling": {"max": 4},
    "github": {"repository": "somebody/app"},
    "apprunner": {"service": "old-app"},
    "xray": {"enabled": True},
}
BASES: tuple[dict[str, Any], ...] = (
    PLAIN,
    {**PLAIN, "front": {"kind": "cloudfront"}},
    {
        **PLAIN,
        "load_balancer": {"certificate": CERTIFICATE},
        "sign_in": {"kind": "oidc", **ENDPOINTS, "client_id": "client", "client_secret": "app/sign-in"},
    },
    {
        **PLAIN,
        "sign_in": {
            "kind": "cognito",
            "user_pool": "us-east-2_a",
            "user_pool_domain": "app",
            "client_id": "c",
        },
    },
)
# Settings that have no example there, because their members have names, or another one beside the first.
MORE: dict[str, list[Any]] = {
    "container.environment": [{"NAME": "value"}],
    "container.secrets": [
        {"NAME": SECRET},
        {"NAME": f"{SECRET}:key::"},
        {"NAME": "/app/token"},
        {"NAME": f"arn:aws:ssm:{HERE}:parameter/app/token"},
    ],
    "tags": [{"team": "web"}],
    "region": ["us-east-2"],
    "load_balancer.certificate": [CERTIFICATE],
    "load_balancer.web_acl": [f"arn:aws:wafv2:{HERE}:regional/webacl/ours/0"],
    "front.certificate": [f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0"],
    "front.web_acl": [f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/ours/0"],
    "load_balancer.allowed_cidrs": [["203.0.113.0/24"]],
    "deployment.accept": [["registry-denied"]],
    "github.environment": ["production"],
    "sign_in.client_secret": ["app/sign-in", f"{SECRET}:key::"],
    **{f"sign_in.{name}": [_URL] for name in ENDPOINTS},
    "sign_in.client_id": ["client"],
    "sign_in.user_pool_domain": ["app"],
    "probe.websocket": ["/_stcore/stream"],
    "sign_in.user_pool": ["us-east-2_a", f"arn:aws:cognito-idp:{HERE}:userpool/us-east-2_a"],
    "apprunner.service": ["old-app", f"arn:aws:apprunner:{HERE}:service/old-app/{'0' * 32}"],
}


def texts(value: Any) -> bool:
    """Whether it is a text, or has texts as its members."""
    members = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    return any(isinstance(each, str) for each in members)


EXAMPLES: dict[str, list[Any]] = {
    **{key: [value] for key, (_, value) in GIVEN.items() if texts(value) and key in set(keys())},
    **MORE,
}


def put(tree: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with this value at a dotted key."""
    made = copy.deepcopy(dict(tree))
    inner = made
    *sections, last = key.split(".")
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[last] = value
    return made


def spoilt(value: Any, special: str) -> Iterator[Any]:
    """The value with something special at its beginning, within it, after each sign, and at its end; for members, in
    one of them."""
    if isinstance(value, Mapping):
        (name, text), *_ = value.items()
        yield from ({name: each} for each in spoilt(text, special))
        yield from ({each: text} for each in spoilt(name, special))
    elif isinstance(value, list):
        first, *rest = value
        yield from ([each, *rest] for each in spoilt(str(first), special))
    else:
        within = (found.end() for found in re.finditer(r"[^A-Za-z0-9]", value))
        for at in sorted({0, len(value) // 2, len(value), *within}):
            yield value[:at] + special + value[at:]
        yield value.rpartition("/")[0] + f"/{special}"


def taken(tree: Mapping[str, Any]) -> tuple[Settings | None, tuple[str, ...]]:
    """The settings; or None, and what is wrong with them."""
    try:
        return load(tree), ()
    except SettingsError as refused:
        return None, refused.problems


def base_of(key: str, value: Any) -> dict[str, Any]:
    """The first of the bases with which the setting can have this value."""
    return next(base for base in BASES if taken(put(base, key, value))[0])


def documents(settings: Settings) -> dict[str, Any]:
    """Every policy and the task definition."""
    where = settings, ACCOUNT, "aws"
    return {
        "definition": templates.task_definition(*where, "image"),
        "trust": templates.trust_policy(*where),
        **templates.role_policies(*where),
        "deploy-role": templates.github_actions_policy(*where),
        "github-trust": templates.github_trust_policy(*where),
        "person-who-deploys": templates.deploy_policy(*where),
        "setup": templates.setup_policy(*where),
        "migration": templates.migration_policy(*where, edits_policies=True),
    }


_ESCAPED = re.compile(r"\$\{[*?$]\}")
_MEANING = re.compile(r"\$\{|[*?]")


def meaning(policy: Mapping[str, Any]) -> Counter[str]:
    """How often a wildcard or a variable stands in the policy's resources, principals and conditions."""
    found: Counter[str] = Counter()
    for statement in policy["Statement"]:
        parts = {
            **statement.get("Condition", {}),
            "": [statement.get(each) for each in ("Resource", "Principal")],
        }
        for operator, told in parts.items():
            signs = _MEANING.findall(_ESCAPED.sub("", json.dumps(told, ensure_ascii=False)))
            is_literal = "StringEquals" in operator  # wildcards are plain text there, and variables are not
            found.update(each for each in signs if each == "${" or not is_literal)
    return found


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_a_setting_is_refused_by_its_key_or_widens_no_policy(key: str) -> None:
    for value in EXAMPLES[key]:
        base = base_of(key, value)
        before = documents(load(put(base, key, value)))
        for special in SPECIAL:
            for each in spoilt(value, special):
                settings, problems = taken(put(base, key, each))
                if settings is None:
                    assert any(problem.startswith(key) for problem in problems), (each, problems)
                    continue
                after = documents(settings)
                assert after.keys() == before.keys()
                for name, policy in after.items():
                    if "Statement" in policy:
                        assert meaning(policy) == meaning(before[name]), (name, each)


def textual(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """The keys of the settings whose type has text in it, other than a choice."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from textual(field.annotation, f"{prefix}{name}.")
        elif re.search(r"\bstr\b", repr(field.annotation)):
            yield f"{prefix}{name}"


def test_every_setting_that_can_be_text_has_an_example() -> None:
    assert set(textual()) <= EXAMPLES.keys()


FOREIGN = """
{%- set names = dict(family=task.family) -%}
{"family": {{ names.family | tojson }}, "containerDefinitions": [
  {"name": {{ container.name | tojson }}, "image": {{ image | tojson }},
   "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "a*?${x}", "awslogs-region": "*"}},
   "secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:us-east-2:123456789012:secret:*"},
               {"name": "B", "valueFrom": "/a/*"}]},
  {"name": "side", "image": "123456789012.dkr.ecr.us-east-2.amazonaws.com/*:latest"}]}
"""


def test_a_definition_of_the_project_widens_no_policy(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM, "Special characters" of policy variables: ``${*}``, ``${?}`` and ``${$}`` are the characters themselves."""
    folder = tmp_path / templates.FOLDER
    folder.mkdir()
    (folder / templates.TASK_DEFINITION).write_text(FOREIGN)
    monkeypatch.chdir(tmp_path)
    execution = templates.role_policies(load({}), ACCOUNT, "aws")["execution"]
    found = {each["Sid"]: each["Resource"] for each in execution["Statement"]}
    assert found["PullTheOneRepository"] == f"arn:aws:ecr:{HERE}:repository/homara"
    assert (
        f"arn:aws:logs:${{*}}:{ACCOUNT}:log-group:a${{*}}${{?}}${{$}}{{x}}:*" in found["WriteTheOneLogGroup"]
    )
    assert found["ReadTheNamedSecrets"] == [f"arn:aws:secretsmanager:{HERE}:secret:${{*}}-??????"]
    assert found["ReadTheNamedParameters"] == [f"arn:aws:ssm:{HERE}:parameter/a/${{*}}"]


def test_a_reference_with_a_pattern_is_none_of_ecr() -> None:
    assert ecr_image("123456789012.dkr.ecr.us-east-2.amazonaws.com/app*:latest") is None
    assert ecr_image("123456789012.dkr.ecr.us-east-2.amazonaws.com/team/app_1.x-y:latest") is not None
