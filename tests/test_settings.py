"""Settings: the plan's defaults, the precedence of sources, and every refusal, all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from lobster_tasks.errors import SettingsError
from lobster_tasks.settings import FARGATE_MEMORY, RETENTION_DAYS, Settings, keys, load

ROOT = Path(__file__).parents[1]
SECRET_ARN = "arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3"
PARAMETER_ARN = "arn:aws:ssm:us-east-2:123456789012:parameter/lobster/openai"
WEB_ACL = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/ours/11111111-2222-3333-4444-555555555555"
WEB_ACL_FOR_CLOUDFRONT = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/0"
CERTIFICATE = "arn:aws:acm:us-east-2:123456789012:certificate/11111111-2222-3333-4444-555555555555"

# The names and numbers of the migration plan.
PLAN: dict[str, Any] = {
    "region": "us-east-2",
    "cluster": "lobster-cluster",
    "service": "lobster-streamlit-service",
    "repository": "homara",
    "dockerfile": "Dockerfile.streamlit",
    "task.family": "lobster-streamlit-task",
    "task.cpu": 512,
    "task.memory": 1024,
    "task.execution_role": "ecsTaskExecutionRole",
    "task.task_role": "ecsTaskRole",
    "container.name": "lobster-streamlit",
    "container.port": 8501,
    "logs.group": "/ecs/lobster-streamlit",
    "load_balancer.name": "lobster-alb",
    "load_balancer.target_group": "lobster-tg",
    "load_balancer.security_group": "lobster-alb-sg",
    "tasks_security_group": "lobster-ecs-sg",
    "deployment.desired_count": 1,
    "health_check.healthy_threshold": 2,
    "health_check.unhealthy_threshold": 3,
}
# Faster values that this project uses instead of the plan's.
FAST: dict[str, Any] = {
    "health_check.path": "/_stcore/health",
    "health_check.interval": 5,
    "load_balancer.idle_timeout": 300,
    "deployment.deregistration_delay": 30,
    "deployment.minimum_healthy_percent": 100,
    "deployment.maximum_percent": 200,
    "deployment.rollback": True,
    "network.vpc": None,
    "network.subnets": None,
    "network.public": True,
    "logs.retention_days": 30,
    "probe.websocket": "/_stcore/stream",
    "task.architecture": "X86_64",
}
SEED: dict[str, Any] = {
    "health_check.path": "/healthz",
    "health_check.interval": 30,
    "health_check.healthy_threshold": 2,
    "health_check.unhealthy_threshold": 3,
    "deployment.deregistration_delay": 300,
}


def value(settings: Settings, key: str) -> Any:
    """The setting of a dotted key."""
    found: Any = settings
    for name in key.split("."):
        found = getattr(found, name)
    return found


def nested(key: str, given: Any) -> dict[str, Any]:
    """``{"task": {"cpu": 512}}`` for ``task.cpu``."""
    for name in reversed(key.split(".")):
        given = {name: given}
    return given


def problems(
    given: dict[str, Any] | None = None, environ: dict[str, str] | None = None, *flags: str
) -> tuple[str, ...]:
    """All problems of the settings, which must be wrong."""
    with pytest.raises(SettingsError) as refused:
        load(given or {}, environ, flags)
    return refused.value.problems


def test_an_invalid_setting_is_named_by_its_path() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"container": {"secrets": {"API: KEY.1": "arn:aws:s3:::shop"}}}, {}, ["nonsense"])
    (invalid,) = refused.value.invalid
    assert invalid.path == ("container", "secrets", "API: KEY.1")
    assert invalid.key == "container.secrets.API: KEY.1"
    assert refused.value.problems == (
        "--set: takes key=value, as in --set task.cpu=1024",
        f"{invalid.key}: {invalid.why}",
    )


@pytest.mark.parametrize(("key", "expected"), [*PLAN.items(), *FAST.items()])
def test_the_defaults_are_the_plans(key: str, expected: Any) -> None:
    assert value(load({}), key) == expected


@pytest.mark.parametrize(("key", "expected"), SEED.items())
def test_the_seed_profile_is_the_plans_slow_numbers(key: str, expected: Any) -> None:
    assert value(load({"profile": "seed"}), key) == expected
    assert value(load({}, {}, ["profile=seed"]), key) == expected


def test_what_is_given_counts_more_than_the_profile() -> None:
    settings = load({"profile": "seed", "health_check": {"interval": 10, "timeout": None}})
    assert settings.health_check.interval == 10
    assert settings.health_check.path == "/healthz"
    assert settings.health_check.timeout == 5


def test_flags_count_more_than_the_environment_and_that_more_than_the_file() -> None:
    given = {"task": {"cpu": 1024, "memory": 2048, "family": "a"}}
    environ = {"INVOKE_LOBSTER_TASK_MEMORY": "3072", "INVOKE_LOBSTER_TASK_FAMILY": "b"}
    settings = load(given, environ, ["task.family=c"])
    assert (settings.task.cpu, settings.task.memory, settings.task.family) == (1024, 3072, "c")


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("network.subnets", "subnet-0a, subnet-0b", ("subnet-0a", "subnet-0b")),
        ("container.command", "streamlit run 'my app.py'", ("streamlit", "run", "my app.py")),
        ("container.command", '["streamlit", "run", "my app.py"]', ("streamlit", "run", "my app.py")),
        ("deployment.rollback", "false", False),
        ("deployment.wait_minutes", "2.5", 2.5),
        ("probe.websocket", "false", None),
        ("probe.websocket", "/ws", "/ws"),
        ("load_balancer.internal", "true", True),
        ("container.port", "8080", 8080),
    ],
)
def test_words_from_the_environment_and_from_flags_become_values(key: str, text: str, expected: Any) -> None:
    variable = "INVOKE_LOBSTER_" + key.upper().replace(".", "_")
    assert value(load({}, {variable: text}), key) == expected
    assert value(load({}, {}, [f"{key}={text}"]), key) == expected


def test_variables_of_the_app_are_set_one_by_one() -> None:
    given = {"container": {"environment": {"A": "1", "B": True, "C": 1.5, "D": ""}}}
    environ = {"INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_A": "from the environment"}
    settings = load(
        given, environ, ["container.environment.E.F=g=h", f"container.secrets.KEY={SECRET_ARN}:k::"]
    )
    assert settings.container.environment == {
        "A": "from the environment",
        "B": "true",
        "C": "1.5",
        "D": "",
        "E.F": "g=h",
    }
    assert settings.container.secrets == {"KEY": f"{SECRET_ARN}:k::"}


def test_loading_leaves_what_was_given_alone() -> None:
    given: dict[str, Any] = {"task": {"cpu": 512}, "container": {"environment": {"A": "1"}}}
    load(given, {}, ["task.cpu=1024", "task.memory=2048", "container.environment.A=2"])
    assert given == {"task": {"cpu": 512}, "container": {"environment": {"A": "1"}}}


def test_null_is_as_good_as_not_given() -> None:
    assert load({"task": None, "logs": {"group": None}, "network": {"vpc": None}}) == load({})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).task.cpu = 1024  # type: ignore[misc]


# The region


@pytest.mark.parametrize("null", ["null", "Null", "NULL", "~"])
@pytest.mark.parametrize("key", list(keys()))
def test_null_is_the_default_in_every_source(key: str, null: str) -> None:
    """YAML 1.1, "Null Language-Independent Type"; in a variable and in a flag it overrides what the file says."""
    given: dict[str, Any] = {"domains": ["app.example.com"], "task": {"cpu": 512, "memory": 2048}}
    variable = f"INVOKE_LOBSTER_{key.replace('.', '_').upper()}"
    section, _, leaf = key.rpartition(".")
    wanted = {**given, section: {**given.get(section, {}), leaf: None}} if section else {**given, leaf: None}
    for settings in (load(given, {variable: null}), load(given, {}, [f"{key}={null}"])):
        assert settings == load(wanted)


def test_what_a_later_source_says_counts_after_a_null() -> None:
    given = {"scaling": {"max": 4}}
    assert load(given, {"INVOKE_LOBSTER_SCALING_MAX": "null"}).scaling.max is None
    assert load(given, {"INVOKE_LOBSTER_SCALING_MAX": "null"}, ["scaling.max=6"]).scaling.max == 6
    assert load({}, {"INVOKE_LOBSTER_CONTAINER_COMMAND": "null"}).container.command is None
    text = load({}, {"INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_HOME": "~"}, ["container.environment.MODE=null"])
    assert text.container.environment == {"HOME": "~", "MODE": "null"}


@pytest.mark.parametrize(
    "variable", ["INVOKE_LOBSTER", "INVOKE_LOBSTERTASK_CPU", "INVOKE_LOBSTER_", "INVOKE_LOBSTERS"]
)
def test_a_variable_that_is_no_setting_is_named(variable: str) -> None:
    (problem,) = problems({}, {variable: "x"})
    assert problem.startswith(f"{variable}: there is no such setting")


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_environments_region_counts_where_the_settings_are_silent(variable: str) -> None:
    assert load({}, {variable: "eu-west-1"}).region == "eu-west-1"


def test_aws_region_and_aws_default_region_must_agree() -> None:
    """boto3 reads only the second, version 2 of the AWS CLI prefers the first."""
    differ = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    told = "region: AWS_REGION says eu-west-1, AWS_DEFAULT_REGION says eu-west-2; they must agree"
    assert problems({}, differ) == (told,)
    assert problems({"region": "eu-west-1"}, differ) == (told,)
    assert load({}, dict.fromkeys(differ, "eu-west-1")).region == "eu-west-1"


def test_the_profiles_region_counts_where_nothing_else_says_one() -> None:
    assert load({}, {}, (), lambda: ("work", "eu-west-1")).region == "eu-west-1"
    assert load({"region": "eu-west-1"}, {}, (), lambda: ("work", "eu-west-1")).region == "eu-west-1"


def test_a_profile_and_settings_that_differ_are_refused_and_both_named() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"region": "us-east-1"}, {}, (), lambda: ("work", "eu-west-1"))
    assert refused.value.problems == (
        "region: the settings say us-east-1, the AWS profile work says eu-west-1; "
        "choose one with --set region=… or INVOKE_LOBSTER_REGION",
    )


@pytest.mark.parametrize(
    ("environ", "flags"),
    [
        ({"AWS_REGION": "us-east-1"}, ()),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, ()),
        ({"INVOKE_LOBSTER_REGION": "us-east-1"}, ()),
        ({}, ("region=us-east-1",)),
    ],
)
def test_what_is_said_for_a_command_stands_above_the_profile(
    environ: dict[str, str], flags: tuple[str, ...]
) -> None:
    assert load({}, environ, flags, lambda: ("work", "eu-west-1")).region == "us-east-1"


def test_what_is_said_for_a_command_stands_above_the_file() -> None:
    given = {"region": "us-east-2"}
    assert load(given, {"INVOKE_LOBSTER_REGION": "us-east-1"}).region == "us-east-1"
    assert load(given, {"INVOKE_LOBSTER_REGION": "us-west-1"}, ("region=us-east-1",)).region == "us-east-1"


@pytest.mark.parametrize("given", [{}, {"region": "us-east-2"}])
@pytest.mark.parametrize("region", ["Ohio", "us-east-2a", "us_east_2", "us-east-2 "])
def test_what_is_no_region_is_refused_with_its_source(given: dict[str, Any], region: str) -> None:
    no_region = f"says {region}, which is not a region's code, as in us-east-2"
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        (problem,) = problems(given, {variable: region})
        assert problem == f"region: {variable} {no_region}; correct {variable}, or unset it"
    with pytest.raises(SettingsError) as refused:
        load(given, {}, (), lambda: ("work", region))
    assert refused.value.problems == (
        f"region: the AWS profile work {no_region}; "
        "correct it: aws configure set region us-east-2 --profile work",
    )


def test_two_regions_that_agree_are_fine() -> None:
    assert load({"region": "eu-west-1"}, {"AWS_REGION": "eu-west-1"}).region == "eu-west-1"


@pytest.mark.parametrize(
    ("given", "environ", "flags"),
    [
        ({"region": "us-east-1"}, {}, ()),
        ({}, {"INVOKE_LOBSTER_REGION": "us-east-1"}, ()),
        ({}, {}, ("region=us-east-1",)),
    ],
)
def test_two_regions_that_differ_are_refused_and_both_named(
    given: dict[str, Any], environ: dict[str, str], flags: tuple[str, ...]
) -> None:
    (problem,) = problems(given, environ | {"AWS_REGION": "us-east-2"}, *flags)
    assert problem == (
        "region: the settings say us-east-1, AWS_REGION says us-east-2; "
        "they must agree: change one of them, or unset AWS_REGION"
    )


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-northwest-1", "ap-southeast-7", "mx-central-1"])
def test_regions_of_every_partition_have_the_form_of_one(region: str) -> None:
    assert load({"region": region}).region == region


# Refusals: key, value, what the message says

LONG = "a" * 300
REFUSED: list[tuple[str, Any, str]] = [
    ("name", "-x", "takes letters, digits"),
    ("github.branch", "${aws:username}", "without $"),
    ("github.branch", "refs/heads/main", "takes the branch's own name, main, not refs/heads/main"),
    (
        "github.branch",
        "refs/heads/release/1.0",
        "takes the branch's own name, release/1.0, not refs/heads/release/1.0",
    ),
    ("github.branch", "refs/remotes/origin/main", "takes the branch's own name, main,"),
    *(
        ("github.branch", each, "takes a branch's name, as in main; on GitHub, none begins with refs/")
        for each in ("refs/tags/v1", "refs/main", "refs/heads/refs/heads/main", "refs/heads/-main")
    ),
    *(
        ("github.branch", each, "no branch can have this one")
        for each in (
            "/main",
            "main/",
            "a//b",
            "a..b",
            ".main",
            "a/.b",
            "main.lock",
            "a.lock/b",
            "-main",
            "@",
            "main@{1}",
            "refs/heads/",
        )
    ),
    ("github.repository", "octocat/hello-world.git", "takes owner/name without .git: octocat/hello-world"),
    *(
        ("github.repository", each, "takes owner/name, as in octocat/hello-world")
        for each in (
            "https://github.com/octocat/hello-world",
            "git@github.com:octocat/hello-world.git",
            "github.com/octocat/hello-world",
            "/octocat/hello-world",
            "octocat/hello-world/",
            "octocat/..",
            "hello-world",
        )
    ),
    ("github.environment", "${aws:username}", "without : * ? $"),
    ("name", "a" * 65, "at most 64"),
    ("region", "Ohio", "a region's code"),
    ("region", "us-east-2a", "a region's code"),
    ("cluster", "my cluster", "takes letters, digits, hyphens and underscores only"),
    ("service", "façade", "takes letters, digits, hyphens and underscores only"),
    ("service", "", "takes letters"),
    ("service", LONG, "at most 255"),
    ("repository", "Homara", "lower-case"),
    ("repository", "homara:latest", "no tag"),
    ("repository", "123456789012.dkr.ecr.us-east-2.amazonaws.com/", "lower-case"),
    ("repository", "h", "at least 2"),
    ("dockerfile", "", "at least 1"),
    ("profile", "slow", "'fast' or 'seed'"),
    ("task", 512, "is a section, not a setting"),
    ("task.cpu", 300, "Fargate has no 300 CPU units; it has 256, 512, 1024, 2048, 4096, 8192, 16384"),
    ("task.cpu", "half", "valid integer"),
    ("task.memory", 8192, "Fargate has no 8192 MiB with cpu 512; it has 1024, 2048, 3072, 4096"),
    ("task.memory", 512, "Fargate has no 512 MiB with cpu 512"),
    ("task.architecture", "arm64", "'X86_64' or 'ARM64'"),
    ("task.execution_role", "a role", "takes letters, digits"),
    ("task.execution_role", "a" * 65, "at most 64"),
    ("task.task_role", "ecsTaskExecutionRole", "must differ from task.execution_role"),
    ("task.policies", ["AmazonS3ReadOnlyAccess"], "ARNs of managed policies"),
    (
        "task.policies",
        ["arn:aws:iam::aws:policy/ReadOnlyAccess"] * 2,
        "arn:aws:iam::aws:policy/ReadOnlyAccess is named more than once",
    ),
    ("container.name", "lobster streamlit", "takes letters"),
    ("container.port", 0, "greater than or equal to 1"),
    ("container.port", 65536, "less than or equal to 65535"),
    ("container.port", "http", "valid integer"),
    ("container.command", "echo 'open", "No closing quotation"),
    ("container.command", '["streamlit" "run" "app.py"]', "looks like a list, but is not one"),
    ("container.command", '["streamlit", "run"', "looks like a list, but is not one"),
    ("container.command", '("streamlit", "run")', "looks like a list, but is not one"),
    ("container.command", '{"streamlit", "run"}', "looks like a list, but is not one"),
    ("container.command", '"streamlit", "run"', "looks like a list, but is not one"),
    ("network.subnets", '["subnet-1" "subnet-2"]', "looks like a list, but is not one"),
    ("container.environment", ["A=1"], "dictionary"),
    ("container.environment", {"A": ["1"]}, "valid string"),
    ("container.environment", {"A": None}, "has no value"),
    ("container.secrets", {"A": None}, "has no value"),
    ("container.secrets", {"A": f"{SECRET_ARN}:json-key"}, "a JSON key needs its colons"),
    ("container.secrets", {"A": "arn:aws:s3:::bucket"}, "looks like a secret's value"),
    ("container.secrets", {"A": 5}, "valid string"),
    ("logs.group", "/ecs/lobster streamlit", "takes letters, digits"),
    ("logs.group", "a" * 513, "at most 512"),
    ("logs.retention_days", 31, "CloudWatch Logs has no 31 days; it has 1, 3, 5, 7, 14, 30"),
    ("images.keep", 1, "greater than or equal to 2"),
    ("images.builder", "kaniko", "'docker'"),
    ("images.target", "--web", "the name or the number of a stage"),
    ("images.secrets", "src=token", "takes id=NAME,src=FILE or id=NAME,env=VARIABLE"),
    ("images.secrets", "id=a", "takes id=NAME,src=FILE"),
    ("images.secrets", "id=a,src=b,env=c", "takes id=NAME,src=FILE"),
    ("images.secrets", "id=a,type=env,src=b id=a,src=c", "a is named more than once"),
    ("images.cache_to", "type=gha,token=eyJ", "token is a credential"),
    ("images.cache_from", "scope=a", "takes the reference of an image, or type=gha"),
    ("tags", {"lobster:stack": "x"}, "lobster:stack is reserved for the stack"),
    ("tags", {"lobster:adopted": "x"}, "lobster:adopted is reserved for the stack"),
    ("tags", {"Lobster:Stack": "x"}, "Lobster:Stack is reserved for the stack"),
    ("tags", {"aws:x": "x"}, "aws:x is reserved for the stack"),
    ("tags", {"Team": "a", "team": "b"}, "differ only in upper and lower case"),
    ("tags", {"team": "a#b"}, "team: takes letters, digits, spaces"),
    ("tags", {"": "a"}, "takes letters, digits, spaces"),
    ("tags", {f"t{number}": "" for number in range(48)}, "at most 47"),
    ("images.keep", -1, "greater than or equal to 0"),
    ("task.permissions_boundary", "PowerUserAccess", "ARNs of managed policies"),
    ("container.secret_keys", ["arn:aws:kms:us-east-2:123456789012:alias/app"], "not of aliases"),
    ("network.task_subnets", ["us-east-2a"], "takes subnet ids"),
    ("network.security_groups", ["default"], "ids of security groups"),
    ("network.security_groups", [f"sg-{number}" for number in range(5)], "at most 4"),
    ("scaling.min", 0, "greater than or equal to 1"),
    ("scaling.average_cpu", 101, "less than or equal to 100"),
    ("scaling", {"min": 3, "max": 2}, "2 is less than scaling.min, which is 3"),
    ("scaling", {"max": 2, "average_cpu": 0}, "no metric to scale by"),
    ("network.vpc", "default", "the id of a VPC"),
    ("network.subnets", ["subnet-0a", "us-east-2b"], "takes subnet ids"),
    ("network.subnets", ["subnet-0a"], "at least two"),
    ("network.subnets", ["subnet-0a", "subnet-0b", "subnet-0a"], "subnet-0a is named more than once"),
    ("load_balancer.name", "internal-alb", "begin with 'internal-'"),
    ("load_balancer.name", "a" * 33, "is 33 characters long; Elastic Load Balancing takes at most 32"),
    ("load_balancer.name", "lobster_alb", "letters, digits and inner hyphens"),
    ("load_balancer.name", "-alb", "letters, digits and inner hyphens"),
    ("load_balancer.target_group", "tg-", "letters, digits and inner hyphens"),
    ("load_balancer.target_group", "t" * 33, "at most 32"),
    ("load_balancer.security_group", "sg-alb", "begin with 'sg-'"),
    ("load_balancer.security_group", "default", "keeps this name"),
    ("load_balancer.security_group", "größe", "takes letters, digits"),
    ("load_balancer.idle_timeout", 0, "greater than or equal to 1"),
    ("load_balancer.idle_timeout", 4001, "less than or equal to 4000"),
    ("load_balancer.certificate", "arn:aws:iam::123456789012:server-certificate/x", "certificate in ACM"),
    ("front.certificate", "arn:aws:iam::123456789012:server-certificate/x", "certificate in ACM"),
    ("load_balancer.web_acl", "ours", "arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>"),
    (
        "load_balancer.web_acl",
        "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/11111111-2222-3333-4444-555555555555",
        "is of scope CLOUDFRONT",
    ),
    *(
        ("load_balancer.web_acl", classic, "is an AWS WAF Classic web ACL")
        for classic in (
            "11111111-2222-3333-4444-555555555555",
            "arn:aws:waf::123456789012:webacl/11111111-2222-3333-4444-555555555555",
            "arn:aws:waf-regional:us-east-2:123456789012:webacl/11111111-2222-3333-4444-555555555555",
        )
    ),
    ("load_balancer.allowed_cidrs", [], "allows nobody"),
    ("load_balancer.allowed_cidrs", "", "allows nobody"),
    ("load_balancer.allowed_cidrs", "office", "takes ranges of addresses"),
    ("load_balancer.allowed_cidrs", ["203.0.113.0/33"], "takes ranges of addresses"),
    ("load_balancer.allowed_cidrs", ["203.0.113.256/32"], "takes ranges of addresses"),
    ("load_balancer.allowed_cidrs", ["2001:db8::/129"], "takes ranges of addresses"),
    ("load_balancer.allowed_cidrs", ["203.0.113.7/24"], "writes 203.0.113.7/24 as 203.0.113.0/24"),
    ("load_balancer.allowed_cidrs", ["203.0.113.7"], "writes 203.0.113.7 as 203.0.113.7/32"),
    ("load_balancer.allowed_cidrs", ["203.0.113.0/255.255.255.0"], "as 203.0.113.0/24; use this form"),
    ("load_balancer.allowed_cidrs", ["2001:db8::1/32"], "writes 2001:db8::1/32 as 2001:db8::/32"),
    ("load_balancer.allowed_cidrs", ["2001:0db8::/32"], "as 2001:db8::/32; use this form"),
    ("load_balancer.allowed_cidrs", ["203.0.113.0/24"] * 2, "203.0.113.0/24 is named more than once"),
    ("load_balancer.allowed_cidrs", ["2001:DB8::/32", "2001:db8::/32"], "2001:db8::/32 is named more than"),
    ("load_balancer.allowed_cidrs", [f"10.0.{each}.0/24" for each in range(31)], "at most 30"),
    ("load_balancer.allowed_cidrs", [10], "valid string"),
    ("logs.group", "aws/lobster", "keeps names that begin with 'aws/'"),
    ("logs.group", "AWS/lobster", "keeps names that begin with 'aws/'"),
    ("task.policies", [f"arn:aws:iam::aws:policy/P{each}" for each in range(11)], "at most 10"),
    ("health_check.grace_period", 2**31, "less than or equal to 2147483647"),
    ("domains", [f"n{each}.example.com" for each in range(101)], "at most 100"),
    ("tasks_security_group", "lobster-alb-sg", "must differ from load_balancer.security_group"),
    ("health_check.path", "healthz", "begins with '/'"),
    ("health_check.interval", 4, "greater than or equal to 5"),
    ("health_check.interval", 301, "less than or equal to 300"),
    ("health_check.timeout", 1, "greater than or equal to 2"),
    ("health_check.timeout", 5, "5 s must be less than the interval of 5 s"),
    ("health_check.healthy_threshold", 1, "greater than or equal to 2"),
    ("health_check.unhealthy_threshold", 11, "less than or equal to 10"),
    ("health_check.grace_period", -1, "greater than or equal to 0"),
    ("deployment.desired_count", -1, "greater than or equal to 0"),
    ("deployment.minimum_healthy_percent", 101, "less than or equal to 100"),
    ("deployment.maximum_percent", 201, "less than or equal to 200"),
    ("deployment.maximum_percent", 100, "could neither start a new one nor stop an old one"),
    ("deployment.maximum_percent", 150, "with minimum_healthy_percent 100 and 1 task ECS could neither"),
    ("deployment.deregistration_delay", 3601, "less than or equal to 3600"),
    ("deployment.wait_minutes", 0, "greater than 0"),
    ("deployment.rollback", "perhaps", "boolean"),
    ("front.kind", "nginx", "'none' or 'cloudfront'"),
    ("front.web_acl", WEB_ACL, "is of scope REGIONAL, which does not protect distributions"),
    ("front.web_acl", "ours", "takes the ARN of a web ACL"),
    (
        "front.web_acl",
        "arn:aws:wafv2:us-east-2:123456789012:global/webacl/ours/0",
        "takes the ARN of a web ACL, as aws wafv2 list-web-acls --scope CLOUDFRONT --region us-east-1 shows it",
    ),
    (
        "front",
        {"web_acl": WEB_ACL_FOR_CLOUDFRONT},
        "kind is none; set kind: cloudfront, or load_balancer.web_acl",
    ),
    (
        "front",
        {"kind": "cloudfront", "web_acl": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/ours/0"},
        "is of scope REGIONAL",
    ),
    ("probe.path", "app", "begins with '/'"),
    ("probe.websocket", "ws://app", "a path that begins with '/', or false"),
    ("probe.websocket", True, "a path that begins with '/', or false"),
]


@pytest.mark.parametrize(
    ("key", "wrong", "says"), REFUSED, ids=[f"{key}={wrong!r}"[:60] for key, wrong, _ in REFUSED]
)
def test_what_is_refused_and_why(key: str, wrong: Any, says: str) -> None:
    (problem,) = problems(nested(key, wrong))
    assert problem.startswith(key)
    assert says in problem


ACCEPTED: list[tuple[str, Any]] = [
    *[("task", {"cpu": cpu, "memory": memory}) for cpu, sizes in FARGATE_MEMORY.items() for memory in sizes],
    *[("logs.retention_days", days) for days in RETENTION_DAYS],
    *[("github.branch", each) for each in ("release/1.0", "original/x", "headspace", "a-b_c.d@e", "über")],
    # GitHub "blocks branch and tag names which begin with refs/", and no other beginnings.
    *[("github.branch", each) for each in ("origin/x", "heads/x", "remotes/a/x", "feature/refs/x", "refs")],
    ("github.repository", "octocat/.github"),
    ("load_balancer.target_group", "internal-tg"),  # the rule is for load balancers only
    ("load_balancer.certificate", CERTIFICATE),
    ("load_balancer.web_acl", WEB_ACL),
    ("load_balancer.allowed_cidrs", "203.0.113.0/24, 2001:db8::/32"),
    ("load_balancer.allowed_cidrs", ["203.0.113.7/32", "0.0.0.0/0", "::/0", "2001:DB8::/32"]),
    ("load_balancer.allowed_cidrs", None),
    ("load_balancer.allowed_cidrs", [f"10.0.{each}.0/24" for each in range(30)]),
    ("front.kind", "cloudfront"),
    ("front.kind", "none"),
    ("front", {"kind": "cloudfront", "web_acl": WEB_ACL_FOR_CLOUDFRONT}),
    ("logs.group", "/aws/lobster"),
    ("load_balancer.security_group", "Lobster (alb) #1: a/b"),
    ("deployment", {"minimum_healthy_percent": 50, "maximum_percent": 100, "desired_count": 2}),
    ("deployment", {"minimum_healthy_percent": 100, "maximum_percent": 150, "desired_count": 2}),
    ("deployment", {"minimum_healthy_percent": 0, "maximum_percent": 100}),
    ("deployment.desired_count", 0),
    ("repository", "team/app_web"),
    ("task.policies", ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::123456789012:policy/app/own"]),
    ("container.secrets", {"A": SECRET_ARN}),
    ("container.secrets", {"A": f"{SECRET_ARN}:key:AWSCURRENT:"}),
    ("container.secrets", {"A": f"{SECRET_ARN}:::"}),
    ("container.secrets", {"A": PARAMETER_ARN}),
    ("container.secrets", {"A": "/lobster/openai"}),
]


@pytest.mark.parametrize(("key", "right"), ACCEPTED, ids=[f"{key}={right!r}"[:60] for key, right in ACCEPTED])
def test_what_aws_takes_is_taken(key: str, right: Any) -> None:
    load(nested(key, right))


@pytest.mark.parametrize("name", ["", "A=B", "="])
@pytest.mark.parametrize("kind", ["environment", "secrets"])
def test_a_variable_has_a_name_that_a_process_can_have(kind: str, name: str) -> None:
    (problem,) = problems({"container": {kind: {name: "/a"}}})
    assert problem == f"container.{kind}: the name of a variable must not be empty or contain '='"


@pytest.mark.parametrize("kind", ["environment", "secrets"])
def test_a_name_of_a_variable_with_nul_is_none_of_a_process(kind: str) -> None:
    (problem,) = problems({"container": {kind: {"A\0": "/a"}}})
    assert problem.startswith(f"container.{kind}.A")
    assert "contains the character NUL" in problem


def test_a_variable_has_one_source() -> None:
    container = {
        "environment": {"A": "1", "B": "2", "C": "3"},
        "secrets": {"C": "/c", "A": "/a"},
    }
    (problem,) = problems({"container": container})
    assert problem == "container.secrets: A, C is in environment too; set it in only one of them"


@pytest.mark.parametrize(
    ("given", "named", "says"),
    [
        ({"load_balancer": {"certificate": CERTIFICATE}}, "front", "delete load_balancer.certificate"),
        (
            {"load_balancer": {"allowed_cidrs": ["10.0.0.0/8", "::/0"]}},
            "front",
            "AWS WAF takes no /0; delete",
        ),
    ],
)
def test_what_a_distribution_excludes(given: dict[str, Any], named: str, says: str) -> None:
    load({**given, "front": {"kind": "none"}})
    (problem,) = problems({**given, "front": {"kind": "cloudfront"}})
    assert problem.startswith(f"{named}: ")
    assert says in problem


@pytest.mark.parametrize(
    ("front", "domains", "told"),
    [
        (
            {"kind": "none"},
            ["app.example.com"],
            "front: certificate is for CloudFront; set load_balancer.",
        ),
        ({}, [], "domains: front.certificate is for domains; set them, or delete front.certificate"),
        (
            {"certificate": CERTIFICATE},
            ["app.example.com"],
            "front: certificate is in us-east-2, and CloudFront takes certificates of us-east-1 only; "
            "delete front.certificate, and inv cutover requests one there, or set the ARN of one there",
        ),
    ],
)
def test_a_distributions_certificate_is_for_domains_and_in_us_east_1(
    front: dict[str, Any], domains: list[str], told: str
) -> None:
    fits = {"kind": "cloudfront", "certificate": CERTIFICATE.replace("us-east-2", "us-east-1")}
    load({"front": fits, "domains": ["app.example.com"]})
    (problem,) = problems({"front": {**fits, **front}, "domains": domains})
    assert problem.startswith(told)


OIDC = {
    "kind": "oidc",
    "issuer": "https://login.example.com/",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "0123456789",
    "client_secret": "app/sign-in",
}
COGNITO = {
    "kind": "cognito",
    "user_pool": "us-east-2_AbCdEfGhI",
    "user_pool_domain": "auth.example.com",
    "client_id": "abc",
}
POOL = "arn:aws:cognito-idp:us-east-2:123456789012:userpool/us-east-2_AbCdEfGhI"
OWN = {"load_balancer": {"certificate": CERTIFICATE}}


def sign_in(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Settings with a certificate and a sign-in; what is None is left out."""
    return {**OWN, "sign_in": {**base, **changes}}


@pytest.mark.parametrize(
    "given",
    [
        sign_in(OIDC),
        sign_in(OIDC, client_secret=SECRET_ARN, scope="openid email profile", session_timeout="3600"),
        sign_in(OIDC, client_secret=f"{SECRET_ARN}:key::"),
        sign_in(OIDC, issuer="https://login.microsoftonline.com/0-1/v2.0", client_id="17"),
        sign_in(COGNITO),
        sign_in(COGNITO, user_pool=POOL, user_pool_domain="somebodys-app"),
        {"domains": ["app.example.com"], "sign_in": COGNITO},
        {**OWN, "sign_in": {"kind": "none"}},
    ],
)
def test_a_sign_in_that_is_whole_is_taken(given: dict[str, Any]) -> None:
    loaded = load(given)
    assert loaded.sign_in.is_on == (given["sign_in"]["kind"] != "none")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (sign_in(OIDC, issuer=None), "sign_in: kind oidc needs issuer too"),
        (
            sign_in({"kind": "oidc"}),
            "needs issuer, authorization_endpoint, token_endpoint, user_info_endpoint",
        ),
        (sign_in(COGNITO, client_id=None), "sign_in: kind cognito needs client_id too"),
        (sign_in(OIDC, user_pool=POOL), "kind oidc has no user_pool; kind cognito has"),
        (sign_in(COGNITO, client_secret="app/x"), "kind cognito has no client_secret; kind oidc has"),
        (sign_in(OIDC, kind="none"), "kind none has no issuer, authorization_endpoint"),
        (sign_in(OIDC, kind="saml"), "sign_in.kind: should be 'none', 'oidc' or 'cognito'"),
        (
            sign_in(OIDC, issuer="http://login.example.com"),
            "sign_in.issuer: takes a URL that begins with https",
        ),
        (sign_in(OIDC, token_endpoint="login.example.com"), "takes a URL that begins with https://"),
        (sign_in(OIDC, session_timeout=0), "greater than or equal to 1"),
        (sign_in(OIDC, session_timeout=604_801), "less than or equal to 604800"),
        (sign_in(OIDC, scope=""), "sign_in.scope: takes scopes separated by spaces"),
        (sign_in(COGNITO, user_pool="pool"), "takes the ARN or the id of a user pool"),
        (sign_in(COGNITO, user_pool_domain="https://x"), "takes the prefix of the user pool's domain"),
        ({"sign_in": OIDC}, "sign_in: a load balancer signs visitors in over HTTPS only; set domains or"),
        (
            {"front": {"kind": "cloudfront"}, "sign_in": COGNITO},
            "front.kind: cloudfront reaches it over HTTP; set front.kind: none",
        ),
    ],
)
def test_a_sign_in_that_cannot_be_is_refused(given: dict[str, Any], says: str) -> None:
    (problem,) = problems(given)
    assert says in problem


@pytest.mark.parametrize(
    "value",
    [
        "GOCSPX-hunter2hunter2",
        "hunter2",
        f"{SECRET_ARN}:key:AWSCURRENT:",
        PARAMETER_ARN,
        "/app/hunter2",
        "a b/c",
    ],
)
def test_a_client_secret_stands_in_secrets_manager_and_is_not_repeated(value: str) -> None:
    (problem,) = problems(sign_in(OIDC, client_secret=value))
    assert problem.startswith("sign_in.client_secret: takes the ARN of a secret in Secrets Manager")
    assert "hunter2" not in problem


def test_a_distribution_has_one_web_acl() -> None:
    listed = {"allowed_cidrs": ["203.0.113.0/24", "2001:db8::/32"]}
    front = {"kind": "cloudfront"}
    load({"front": front, "load_balancer": listed})
    (problem,) = problems({"front": {**front, "web_acl": WEB_ACL_FOR_CLOUDFRONT}, "load_balancer": listed})
    assert "exclude each other, because a distribution has one web ACL" in problem


@pytest.mark.parametrize(("name", "arn"), [("certificate", CERTIFICATE), ("web_acl", WEB_ACL)])
def test_what_is_in_another_region_is_refused(name: str, arn: str) -> None:
    (problem,) = problems({"region": "eu-west-1", "load_balancer": {name: arn}})
    assert problem == f"load_balancer: {name} is not in eu-west-1, where the load balancer is"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-0123456789abcdefABCDEF",
        "sk_live_51H8abcdef",
        "whsec_abcdef",
        "ghp_abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1",
        "correct horse battery staple",
        "p@ssw0rd!",
        "hunter2",  # could be a parameter's name, which must be given by ARN
    ],
)
def test_a_secret_given_as_a_value_is_refused_and_never_repeated(secret: str) -> None:
    given = {"container": {"secrets": {"OPENAI_API_KEY": secret}}}
    for refused in (
        problems(given),
        problems({}, {"INVOKE_LOBSTER_CONTAINER_SECRETS_OPENAI_API_KEY": secret}),
        problems({}, {}, f"container.secrets.OPENAI_API_KEY={secret}"),
    ):
        (problem,) = refused
        assert problem.startswith("container.secrets.OPENAI_API_KEY: looks like a secret's value")
        assert secret not in problem
    for elsewhere in (
        problems({"container": {"secrets": secret}}),
        problems({"secrets": {"OPENAI_API_KEY": secret}}),
        problems({"container": {"secrets": [secret]}}),
        problems({}, {}, f"secrets.OPENAI_API_KEY={secret}"),
        problems({}, {}, f"container.secrets.OPENAI_API_KEY:{secret}"),
        problems({}, {"INVOKE_LOBSTER_SECRETS_OPENAI_API_KEY": secret}),
    ):
        assert not any(secret in problem for problem in elsewhere)


def test_the_error_shows_no_secret_either() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"container": {"secrets": {"A": "sk-secret"}, "port": "sk-secret"}})
    told = f"{refused.value!r} {refused.value} {refused.value.lines()} {refused.value.__cause__}"
    assert "sk-secret" not in told


# Keys


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("task.cpuu", "task.cpu"),
        ("taks", "task"),
        ("healthcheck", "health_check"),
        ("cpu", "task.cpu"),
        ("container.cpu", "task.cpu"),
        ("health_check.healthy_treshold", "health_check.healthy_threshold"),
        ("container.secret", "container.secrets"),
        ("loadbalancer.idle_timeout", "load_balancer.idle_timeout"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(wrong: str, meant: str) -> None:
    said = f"{wrong}: there is no such setting; did you mean {meant}?"
    if "." not in wrong or wrong.partition(".")[0] in Settings.model_fields:
        assert problems(nested(wrong, 1)) == (said,)
    assert problems({}, {}, f"{wrong}=1") == (f"--set {said}",)


def test_an_unknown_variable_names_the_nearest_known_one() -> None:
    assert problems({}, {"INVOKE_LOBSTER_TASK_CPUS": "1"}) == (
        "INVOKE_LOBSTER_TASK_CPUS: there is no such setting; did you mean INVOKE_LOBSTER_TASK_CPU?",
    )
    load({}, {"INVOKE_RUN_ECHO": "1", "INVOKE_OTHER": "x"})


@pytest.mark.parametrize("section", sorted({key.rpartition(".")[0] for key in keys() if "." in key}))
def test_a_value_in_place_of_a_section_is_told_with_one_of_its_settings(section: str) -> None:
    first = next(key for key in keys() if key.startswith(f"{section}."))
    told = f"{section}: is a section, not a setting; set what is in it, for example {first}"
    variable = f"INVOKE_LOBSTER_{section.upper().replace('.', '_')}"
    assert problems(nested(section, "cloudfront")) == (told,)
    assert problems({}, {}, f"{section}=cloudfront") == (f"--set {told}",)
    assert problems({}, {variable: "cloudfront"}) == (told.replace(section, variable, 1),)


def test_a_key_like_no_other_gets_no_suggestion() -> None:
    assert problems({"zzz": 1}) == ("zzz: there is no such setting",)


def test_a_key_inside_a_plain_setting_is_unknown() -> None:
    (problem,) = problems({}, {}, "task.cpu.units=512")
    assert problem.startswith("--set task.cpu.units: there is no such setting")


def test_a_flag_without_a_value_is_refused() -> None:
    assert problems({}, {}, "task.cpu") == ("--set: takes key=value, as in --set task.cpu=1024",)


def test_all_problems_are_told_at_once() -> None:
    given = {
        "task": {"cpu": 300, "memory": "much", "cpus": 1},
        "container": {"port": 0, "secrets": {"A": "sk-a"}},
        "load_balancer": {"name": "internal-alb"},
    }
    environ = {"INVOKE_LOBSTER_NOPE": "1", "INVOKE_LOBSTER_LOGS_RETENTION_DAYS": "31"}
    with pytest.raises(SettingsError) as refused:
        load(given, environ, ["nope=1", "health_check.timeout=9"])
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "INVOKE_LOBSTER_NOPE",
        "--set nope",
        "task.cpu",
        "task.memory",
        "task.cpus",
        "container.port",
        "container.secrets.A",
        "logs.retention_days",
        "load_balancer.name",
        "health_check.timeout",
    ]
    first, *rest = refused.value.lines()
    assert first == "10 settings are wrong."
    assert rest[-1].startswith("next")
    assert refused.value.exit_code == 2


# invoke.yaml at the top


def test_invoke_yaml_shows_every_key_with_its_default() -> None:
    shown = yaml.safe_load((ROOT / "invoke.yaml").read_text())["lobster"]
    assert set(_flat(shown)) == set(keys())
    assert load(shown) == load({})


def test_every_key_of_the_file_may_be_given_alone() -> None:
    shown = _flat(yaml.safe_load((ROOT / "invoke.yaml").read_text())["lobster"])
    for key, default in shown.items():
        assert load(nested(key, default)) == load({})


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in tree.items():
        is_section = isinstance(inner, dict) and f"{prefix}{key}" not in (
            "container.environment",
            "container.secrets",
            "tags",
        )
        found |= _flat(inner, f"{prefix}{key}.") if is_section else {f"{prefix}{key}": inner}
    return found


_HALVES = ("\ud800", "a\udcffb")
_WITH_HALVES: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, str]]] = {
    "container.environment.X": (
        {"container": {"environment": {"X": "{}"}}},
        ("container.environment.X={}",),
        {"INVOKE_LOBSTER_CONTAINER_ENVIRONMENT_X": "{}"},
    ),
    "tags.X": ({"tags": {"X": "{}"}}, ("tags.X={}",), {"INVOKE_LOBSTER_TAGS_X": "{}"}),
    "name": ({"name": "{}"}, ("name={}",), {"INVOKE_LOBSTER_NAME": "{}"}),
    "container.command": ({"container": {"command": ["a", "{}"]}}, ("container.command=a {}",), {}),
    "domains": ({"domains": ["{}"]}, ("domains=a.example.com,{}",), {}),
    "tags.\\u": ({"tags": {"{}": "x"}}, ("tags.{}=x",), {"INVOKE_LOBSTER_TAGS_{}": "x"}),
    "nothing.X": ({"nothing": {"X": "{}"}}, (), {}),
}


def _filled(tree: Any, text: str) -> Any:
    if isinstance(tree, dict):
        return {_filled(key, text): _filled(value, text) for key, value in tree.items()}
    return [_filled(each, text) for each in tree] if isinstance(tree, list) else tree.replace("{}", text)


@pytest.mark.parametrize("half", _HALVES, ids=ascii)
@pytest.mark.parametrize("key", _WITH_HALVES)
def test_half_of_a_surrogate_pair_is_refused_with_its_setting_wherever_it_is_given(
    key: str, half: str
) -> None:
    """A byte that is not UTF-8 is one in an argument and in a variable (Python, os.fsdecode); no call can hold it."""
    section, flags, environ = _WITH_HALVES[key]
    for given in (
        ((_filled(section, half), {}, ()),)
        + tuple(({}, {}, (_filled(flag, half),)) for flag in flags)
        + (({}, _filled(environ, half), ()),) * bool(environ)
    ):
        with pytest.raises(SettingsError) as refused:
            load(*given)
        told = [each for each in refused.value.problems if key.removesuffix("\\u") in each]
        assert any("not a character" in each for each in told), refused.value.problems
        "".join(refused.value.lines()).encode()


@pytest.mark.parametrize("key", _WITH_HALVES)
def test_nul_is_refused_with_its_setting_wherever_it_is_given(key: str) -> None:
    """No word, path or variable holds it: execve(2) and open(2) take it for their end, RegisterTaskDefinition for a
    value that no container starts with."""
    section, flags, _ = _WITH_HALVES[key]
    for given in (
        (_filled(section, "a\0b"), {}, ()),
        *(({}, {}, (_filled(flag, "a\0b"),)) for flag in flags),
    ):
        with pytest.raises(SettingsError) as refused:
            load(*given)
        told = [each for each in refused.value.problems if key.removesuffix("\\u") in each]
        assert any("the character NUL" in each for each in told), refused.value.problems


def _texts_of(key: str, text: str) -> Iterator[dict[str, Any]]:
    """A setting with a text, in each form that some setting takes."""
    for value in (text, [text], {"A": text}, {text: "a"}, f"/{text}", f"./{text}", f"https://a/{text}"):
        *sections, leaf = key.split(".")
        tree: dict[str, Any] = {leaf: value}
        for section in reversed(sections):
            tree = {section: tree}
        yield tree


@pytest.mark.parametrize("text", ["a\0b", "a\x1bb", "a\nb", "a\x7fb", "a\x85b"], ids=ascii)
@pytest.mark.parametrize("key", list(keys()))
def test_no_setting_takes_a_control_character_but_what_a_program_gets(key: str, text: str) -> None:
    taken = []
    for given in _texts_of(key, text):
        with suppress(SettingsError):
            taken.append(load(given))
    assert not taken or (key in ("container.environment", "container.command") and "\0" not in text)


def test_a_list_of_several_lines_is_a_list() -> None:
    assert load({"domains": "a.example.com,\nb.example.com\n"}).domains == ("a.example.com", "b.example.com")


@pytest.mark.parametrize("flag", ['container.command=["\\ud800"]', 'tags={"a": "\\ud800"}'])
def test_half_of_a_pair_within_json_is_refused_too(flag: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, {}, (flag,))
    assert "not a character" in refused.value.problems[0]
