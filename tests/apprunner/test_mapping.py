"""What each setting of an App Runner service becomes, rule by rule."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import report, templates
from lobster_tasks.apprunner.description import Answers, ImageFacts, RoleFacts, SecretFacts
from lobster_tasks.apprunner.mapping import CLASSES, instances
from lobster_tasks.apprunner.mapping.container import in_words
from lobster_tasks.apprunner.mapping.names import elb_base
from lobster_tasks.settings import load

from .descriptions import ACCOUNT, ARN, IMAGE, REGISTRY, code_source, image_source, mapped, row, setting


def test_a_plain_service() -> None:
    made = mapped()
    settings = load(made.settings)
    assert (settings.name, settings.cluster, settings.service, settings.task.family) == ("shop",) * 4
    assert (settings.task.cpu, settings.task.memory, settings.task.architecture) == (1024, 2048, "X86_64")
    assert (settings.repository, settings.images.keep) == ("shop", 0)
    assert settings.apprunner.service == ARN
    assert settings.load_balancer.internal is False
    assert {each.kind for each in made.rows} <= set(CLASSES)
    assert all(each.decide for each in made.rows if each.kind == "no_equivalent")
    assert sum(made.count(kind) for kind in CLASSES) == len(made.rows)


# Names


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("shop", "shop"),
        ("my_shop", "my-shop"),
        ("shop_", "shop"),
        ("internal-shop", "app-internal-shop"),
        ("a" * 28, "a" * 28),
        ("a" * 29, f"{'a' * 21}-6913c9"),
    ],
)
def test_names_that_elastic_load_balancing_takes(name: str, base: str) -> None:
    balancer = load(mapped({"ServiceName": name}).settings).load_balancer
    assert (balancer.name, balancer.target_group) == (f"{base}-alb", f"{base}-tg")


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert elb_base("a" * 39 + "b") != elb_base("a" * 39 + "c")


def test_a_name_that_no_security_group_has() -> None:
    made = mapped({"ServiceName": "sg-shop"})
    assert load(made.settings).tasks_security_group == "apprunner-sg-shop-ecs-sg"


def test_new_roles_never_have_the_old_ones_names() -> None:
    role = RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/app/shop-task")
    made = mapped({"InstanceConfiguration": {"InstanceRoleArn": role.arn}}, instance_role=role)
    assert setting(made, "task.task_role") == "shop-fargate-task"
    assert setting(made, "task.execution_role") == "shop-fargate-execution"


def test_the_address_cannot_move() -> None:
    told = row(mapped(), "ServiceUrl")
    assert (told.kind, told.old) == ("no_equivalent", "abcdefghij.us-east-2.awsapprunner.com")
    assert "certificate" in told.decide
    domain = {
        "CustomDomains": [{"DomainName": "Shop.example.com", "Status": "ACTIVE", "EnableWWWSubdomain": True}]
    }
    made = mapped(domains=domain)
    assert row(made, "ServiceUrl").decide == "inv cutover moves the custom domain"
    assert setting(made, "domains") == ["shop.example.com", "www.shop.example.com"]
    assert row(made, "CustomDomain Shop.example.com").kind == "translated"


def test_a_domain_that_does_not_work_is_not_taken_along() -> None:
    pending = {"DomainName": "old.example.com", "Status": "PENDING_CERTIFICATE_DNS_VALIDATION"}
    made = mapped(domains={"CustomDomains": [pending]})
    assert setting(made, "domains") is None
    assert row(made, "CustomDomain old.example.com (Status)").decide


# Images


@pytest.mark.parametrize(
    ("identifier", "facts", "repository"),
    [
        (
            "999999999999.dkr.ecr.us-east-2.amazonaws.com/team/app:7",
            ImageFacts("team/app", "999999999999", "us-east-2", "7"),
            "team/app",
        ),
        (
            f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app:7",
            ImageFacts("app", ACCOUNT, "eu-west-1", "7"),
            "app",
        ),
        ("public.ecr.aws/acme/web:7", ImageFacts("acme/web", tag="7"), "web"),
        ("public.ecr.aws/acme/w:7", ImageFacts("acme/w", tag="7"), "shop"),
    ],
)
def test_an_image_from_elsewhere_is_copied(identifier: str, facts: ImageFacts, repository: str) -> None:
    made = mapped({"SourceConfiguration": image_source(identifier)}, image=facts)
    told = row(made, "ImageIdentifier")
    assert told.kind == "approximated"
    where = f"{REGISTRY}/{repository}:7"
    assert told.commands == (
        f"docker pull {identifier}",
        f"docker tag {identifier} {where}",
        f"docker push {where}",
    )
    assert load(made.settings).repository == repository


def test_a_repository_of_another_stack_stays_there() -> None:
    """Setup refuses to take it over."""
    made = mapped(image=replace(IMAGE, stack="theirs"))
    told = row(made, "ImageIdentifier")
    assert told.kind == "approximated"
    assert "its repository belongs to the stack theirs" in told.note
    assert told.commands[-1] == f"docker push {REGISTRY}/shop-fargate:v1"
    assert load(made.settings).repository == "shop-fargate"
    elsewhere = mapped(image=replace(IMAGE, repository="common", stack="theirs"))
    assert load(elsewhere.settings).repository == "shop"
    own = mapped(image=replace(IMAGE, stack="shop"))
    assert row(own, "ImageIdentifier").kind == "same"
    assert load(own.settings).repository == "shop"


def test_the_image_that_runs_is_named_for_the_first_deployment() -> None:
    assert row(mapped(), "ImageIdentifier").note.startswith("inv deploy --tag v1 (sha256:abab")
    gone = mapped(image=replace(IMAGE, digest=""))
    assert "no image v1 any more" in row(gone, "ImageIdentifier").note


def test_nothing_watches_the_repository() -> None:
    automatic = image_source() | {"AutoDeploymentsEnabled": True}
    told = row(mapped({"SourceConfiguration": automatic}), "AutoDeploymentsEnabled")
    assert (told.kind, told.new) == ("approximated", "the workflow that pushes deploys")
    assert "inv deploy --tag v1" in told.decide
    by_default = image_source()
    del by_default["AutoDeploymentsEnabled"]
    assert row(mapped({"SourceConfiguration": by_default}), "AutoDeploymentsEnabled").old is True
    public = ImageFacts("acme/web", tag="7")
    assert (
        row(mapped({"SourceConfiguration": by_default}, image=public), "AutoDeploymentsEnabled").old is False
    )


def test_the_access_role_becomes_the_execution_role() -> None:
    pull = "arn:aws:iam::aws:policy/service-role/AWSAppRunnerServicePolicyForECRAccess"
    role = RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/pull", managed=(pull,))
    made = mapped(access_role=role)
    assert row(made, "AccessRoleArn").new == "execution role shop-execution"
    assert not [each for each in made.rows if each.setting.startswith("access role")]
    more = replace(role, managed=(pull, "arn:aws:iam::aws:policy/ReadOnlyAccess"), boundary="arn:b")
    made = mapped(access_role=more)
    assert row(made, "access role: policies").old == ["ReadOnlyAccess"]
    told = row(made, "access role: PermissionsBoundary")
    assert (told.kind, told.new) == ("approximated", "none")
    assert told.commands[0].endswith("--role-name shop-execution --permissions-boundary arn:b")
    other = mapped(access_role=more, instance_role=RoleFacts(f"{role.arn}2", boundary="arn:c"))
    told = row(other, "access role: PermissionsBoundary")
    assert (told.new, "it is arn:c, not this one" in told.note) == ("task.permissions_boundary", True)
    bounded = mapped(access_role=more, instance_role=RoleFacts(f"{role.arn}2", boundary="arn:b"))
    assert row(bounded, "access role: PermissionsBoundary").kind == "same"
    assert "it is gone" in row(mapped(access_role=replace(role, found=False)), "AccessRoleArn").note


# Container


def test_port_is_given_by_app_runner_itself() -> None:
    made = mapped({"SourceConfiguration": image_source(Port="9000")})
    assert setting(made, "container.port") == 9000
    assert row(made, "(PORT)").kind == "translated"
    assert setting(mapped(), "container.port") == 8080


@pytest.mark.parametrize("port", ["http", "0", "70000", "٣"])
def test_a_port_that_is_none(port: str) -> None:
    made = mapped({"SourceConfiguration": image_source(Port=port)})
    assert row(made, "Port").kind == "approximated"
    assert load(made.settings).container.port == 8080


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python app.py", ["python", "app.py"]),
        ("streamlit run 'my app.py' --x=1", ["streamlit", "run", "my app.py", "--x=1"]),
        ('node -e "1"', ["node", "-e", "1"]),
        ("python app.py && sleep 1", ["sh", "-c", "python app.py && sleep 1"]),
        ("python app.py --port $PORT", ["sh", "-c", "python app.py --port $PORT"]),
        ("A=1 python app.py", ["sh", "-c", "A=1 python app.py"]),
        ("cat *.txt", ["sh", "-c", "cat *.txt"]),
        ("echo 'open", ["sh", "-c", "echo 'open"]),
        ("''", [""]),
    ],
)
def test_start_commands(command: str, words: list[str]) -> None:
    assert in_words(command)[0] == words
    made = mapped({"SourceConfiguration": image_source(StartCommand=command)})
    assert list(load(made.settings).container.command or ()) == words
    assert row(made, "StartCommand").kind == "translated"


def test_without_a_start_command_the_image_says() -> None:
    made = mapped({"SourceConfiguration": image_source(StartCommand="  ")})
    assert setting(made, "container.command") is None


def test_a_secret_in_a_start_command_is_not_written() -> None:
    made = mapped({"SourceConfiguration": image_source(StartCommand="app --key sk-abcdefghijklmnopqrstuv")})
    assert setting(made, "container.command") is None
    assert "sk-abc" not in json.dumps([report.row_json(each) for each in made.rows])


def test_variables() -> None:
    given = {"GREETING": "hi", "DB_PASSWORD": "hunter22", "AWSAPPRUNNER_X": "1", "PORT": "1", "BOTH": "x"}
    source = image_source(RuntimeEnvironmentVariables=given, RuntimeEnvironmentSecrets={"BOTH": "/shop/both"})
    made = mapped({"SourceConfiguration": source})
    assert setting(made, "container.environment") == {"GREETING": "hi"}
    assert setting(made, "container.secrets") == {"BOTH": "/shop/both"}
    told = row(made, "RuntimeEnvironmentVariables.DB_PASSWORD")
    assert (told.kind, told.old, told.new) == ("approximated", "hidden", "left out")
    assert "--lift-secrets" in told.commands[0]
    assert "hunter22" not in json.dumps([made.settings, [report.row_json(each) for each in made.rows]])


def test_a_lifted_variable_is_a_secret() -> None:
    source = image_source(RuntimeEnvironmentVariables={"DB_PASSWORD": "hunter22"})
    arn = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:shop/DB_PASSWORD-AbC123"
    made = mapped({"SourceConfiguration": source}, lifted={"DB_PASSWORD": arn})
    assert setting(made, "container.secrets") == {"DB_PASSWORD": arn}
    assert row(made, "RuntimeEnvironmentVariables.DB_PASSWORD").kind == "translated"


SECRET = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:shop/db-AbC123"
KEY = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/0f1e2d3c-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("source", "new", "kind"),
    [
        (SECRET, SECRET, "same"),
        (f"{SECRET}:password::", f"{SECRET}:password::", "same"),
        (f"{SECRET}:password", f"{SECRET}:password::", "translated"),
        ("/shop/db", "/shop/db", "same"),
        ("shop", f"arn:aws:ssm:us-east-2:{ACCOUNT}:parameter/shop", "translated"),
        (f"arn:aws:ssm:us-east-2:{ACCOUNT}:parameter/shop/db", None, "same"),
    ],
)
def test_secrets_keep_their_place(source: str, new: str | None, kind: str) -> None:
    made = mapped({"SourceConfiguration": image_source(RuntimeEnvironmentSecrets={"DB": source})})
    assert load(made.settings).container.secrets == {"DB": new or source}
    told = row(made, "RuntimeEnvironmentSecrets.DB")
    assert told.kind == kind
    assert "shop-execution" in told.note


def test_a_refused_secret_is_left_out_alone_whatever_its_name() -> None:
    named = {"API: KEY.1": "arn:aws:s3:::shop", "OTHER": "/shop/other"}
    made = mapped({"SourceConfiguration": image_source(RuntimeEnvironmentSecrets=named)})
    assert load(made.settings).container.secrets == {"OTHER": "/shop/other"}
    told = row(made, "container.secrets.API: KEY.1")
    assert (told.old, told.new) == ("set", "left out")
    assert told.note.startswith("looks like a secret's value")


def test_a_section_of_which_everything_is_refused_is_not_written() -> None:
    named = {"API": "arn:aws:s3:::shop", "OTHER": "arn:aws:s3:::other"}
    made = mapped({"SourceConfiguration": image_source(RuntimeEnvironmentSecrets=named)})
    assert {each.setting for each in made.rows if each.new == "left out"} >= {
        "container.secrets.API",
        "container.secrets.OTHER",
    }
    assert setting(made, "container") == {"name": "shop", "port": 8080}


def test_secrets_with_keys_of_their_own() -> None:
    source = image_source(RuntimeEnvironmentSecrets={"DB": SECRET})
    made = mapped({"SourceConfiguration": source}, secrets=(SecretFacts("DB", SECRET, True, KEY),))
    assert load(made.settings).container.secret_keys == (KEY,)
    alias = KEY.partition(":key/")[0] + ":alias/app"
    made = mapped({"SourceConfiguration": source}, secrets=(SecretFacts("DB", SECRET, True, alias),))
    assert setting(made, "container.secret_keys") is None
    told = row(made, "secrets: KMS key")
    assert (told.kind, f"aws kms describe-key --key-id {alias} " in told.commands[0]) == (
        "approximated",
        True,
    )


def test_a_secret_of_another_account_and_one_that_is_gone() -> None:
    foreign = SECRET.replace(ACCOUNT, "999999999999")
    source = image_source(RuntimeEnvironmentSecrets={"A": foreign, "B": "/gone"})
    made = mapped({"SourceConfiguration": source}, secrets=(SecretFacts("B", "/gone", False),))
    assert "let shop-execution read it in 999999999999" in row(made, "RuntimeEnvironmentSecrets.A").decide
    assert "/gone does not exist" in row(made, "RuntimeEnvironmentSecrets.B").decide


# Instances


@pytest.mark.parametrize(
    ("cpu", "memory", "new"),
    [
        ("256", "512", (256, 512)),
        ("0.25 vCPU", "1 GB", (256, 1024)),
        ("1 vCPU", "3 GB", (1024, 3072)),
        ("4096", "12288", (4096, 12288)),
        ("512", "512", (512, 1024)),
        ("8 vCPU", "20 GB", (8192, 20480)),
        ("64 vCPU", "200 GB", (16384, 122880)),
    ],
)
def test_sizes(cpu: str, memory: str, new: tuple[int, int]) -> None:
    made = mapped({"InstanceConfiguration": {"Cpu": cpu, "Memory": memory}})
    task = load(made.settings).task
    assert (task.cpu, task.memory) == new


def test_the_instance_role_is_copied_not_touched() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/app"
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    inline = {
        "one": {"Version": "2012-10-17", "Statement": {**allow, "Sid": "A"}},
        "two": {
            "Version": "2012-10-17",
            "Statement": [{**allow, "Sid": "A"}, {**allow, "Resource": "{{x}}"}],
        },
    }
    bound = "arn:aws:iam::123456789012:policy/bound"
    managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    role = RoleFacts(arn, inline=inline, managed=(managed,), boundary=bound)
    made = mapped(instance_role=role)
    assert row(made, "InstanceRoleArn").new == "task role shop-task"
    task = load(made.settings).task
    assert (task.policies, task.permissions_boundary) == ((managed,), bound)
    statements = json.loads(made.files["task-definitions/task-role-policy.json.j2"])["Statement"]
    assert [each.get("Sid") for each in statements] == ["A", None, None]
    assert {each.setting for each in made.rows} >= {
        "instance role: policy",
        "instance role: inline policy one",
        "instance role: inline policy two",
        "instance role: PermissionsBoundary",
    }


@pytest.mark.parametrize(
    "value",
    ["{{ name }}", "{% endraw %}{{ 7 * 7 }}", "{{{{#{%{", "\\{{ x }}\\", '"{#', "${aws:username}", "{"],
)
def test_what_a_role_may_do_is_no_template(tmp_path: Path, value: str) -> None:
    """Whoever may write a role's policy must not write what runs where the policy is rendered."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": value, "Condition": {value: {}}}
    inline = {"one": {"Version": "2012-10-17", "Statement": [statement]}}
    made = mapped(instance_role=RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/app", inline=inline))
    (tmp_path / "task-definitions").mkdir()
    (tmp_path / instances.POLICY_FILE).write_text(made.files[instances.POLICY_FILE])
    with contextlib.chdir(tmp_path):
        assert templates.role_policies(load({}), ACCOUNT, "aws")["task"]["Statement"] == [statement]


def test_an_old_policy_language_is_told() -> None:
    document = {
        "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}"}
    }
    role = RoleFacts("arn:aws:iam::1:role/app", inline={"old": document})
    told = row(mapped(instance_role=role), "instance role: inline policy old (Version)")
    assert (told.kind, told.old) == ("approximated", "2008-10-17")


def test_a_role_that_is_gone_and_none_at_all() -> None:
    gone = RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/app", found=False)
    assert row(mapped(instance_role=gone), "InstanceRoleArn").kind == "approximated"
    assert row(mapped(), "InstanceRoleArn").old == "none"


@pytest.mark.parametrize(
    ("given", "new", "approximated"),
    [
        ({}, ("/_stcore/health", 5, 2, 2, 5), {"Protocol", "HealthyThreshold"}),
        (
            {"Protocol": "HTTP", "Path": "/ping", "Interval": 10, "Timeout": 5, "HealthyThreshold": 2},
            ("/ping", 10, 5, 2, 5),
            set(),
        ),
        ({"Protocol": "HTTP", "Path": "ping me"}, ("/ping%20me", 5, 2, 2, 5), {"HealthyThreshold"}),
        (
            {"Protocol": "HTTP", "Interval": 1, "Timeout": 20},
            ("/", 21, 20, 2, 5),
            {"Interval", "HealthyThreshold"},
        ),
        (
            {"Protocol": "HTTP", "Timeout": 1, "UnhealthyThreshold": 20},
            ("/", 5, 2, 2, 10),
            {"Timeout", "HealthyThreshold", "UnhealthyThreshold"},
        ),
        (
            {"Protocol": "HTTP", "HealthyThreshold": 20, "UnhealthyThreshold": 1},
            ("/", 5, 2, 10, 2),
            {"HealthyThreshold", "UnhealthyThreshold"},
        ),
    ],
)
def test_health_checks(given: dict[str, Any], new: tuple[Any, ...], approximated: set[str]) -> None:
    made = mapped({"HealthCheckConfiguration": given})
    check = load(made.settings).health_check
    assert (
        check.path,
        check.interval,
        check.timeout,
        check.healthy_threshold,
        check.unhealthy_threshold,
    ) == new
    rows = [each for each in made.rows if each.setting.startswith("HealthCheckConfiguration")]
    assert {each.setting.partition(".")[2] for each in rows if each.kind == "approximated"} == approximated


@pytest.mark.parametrize(
    ("answers", "path", "decides"),
    [
        (Answers(streamlit=True, root=200), "/_stcore/health", False),
        (Answers(streamlit=False, root=200), "/", True),
        (Answers(streamlit=False, root=404), "/", True),
        (None, "/", True),
    ],
)
def test_a_tcp_check_becomes_a_path_that_answers(answers: Answers | None, path: str, decides: bool) -> None:
    made = mapped(answers=answers)
    assert setting(made, "health_check.path") == path
    assert bool(row(made, "HealthCheckConfiguration.Protocol").decide) == decides
    is_streamlit = answers is not None and answers.streamlit
    assert load(made.settings).load_balancer.stickiness == is_streamlit
    assert load(made.settings).probe.websocket == ("/_stcore/stream" if is_streamlit else None)


def test_scaling_by_cpu_in_place_of_concurrency() -> None:
    made = mapped(scaling={"MinSize": 2, "MaxSize": 6, "MaxConcurrency": 50})
    settings = load(made.settings)
    assert (settings.scaling.min, settings.scaling.max, settings.scaling.average_cpu) == (2, 6, 60)
    assert settings.deployment.desired_count == 2
    told = row(made, "MaxConcurrency")
    assert (told.kind, told.old) == ("approximated", 50)


def test_a_fixed_number_of_instances_is_not_scaled() -> None:
    made = mapped(scaling={"MinSize": 3, "MaxSize": 3, "MaxConcurrency": 50})
    assert setting(made, "scaling") is None
    assert setting(made, "deployment.desired_count") == 3


def test_scaling_that_may_not_be_read() -> None:
    made = mapped(scaling={}, unknown={"AutoScalingConfiguration": "AWS refused it"})
    assert row(made, "AutoScalingConfiguration").decide
    assert setting(made, "scaling") is None


# Source code


def test_a_service_of_source_code_gets_a_draft_of_a_dockerfile() -> None:
    source = code_source(
        Runtime="PYTHON_311", BuildCommand="pip install -r r.txt", StartCommand="python a.py", Port="8501"
    )
    made = mapped({"SourceConfiguration": source}, image=None)
    text = made.files["Dockerfile.apprunner"]
    assert text.splitlines()[0].startswith("# REVIEW: ")
    for line in (
        "COPY app/ ./",
        "RUN pip install -r r.txt",
        'ENV PORT="8501"',
        "EXPOSE 8501",
        "CMD exec python a.py",
    ):
        assert line in text.splitlines()
    settings = load(made.settings)
    assert (settings.dockerfile, settings.container.command) == ("Dockerfile.apprunner", None)
    for name in ("RepositoryUrl", "Runtime", "BuildCommand"):
        assert row(made, name).kind == "approximated"
    told = row(made, "ConnectionArn")
    assert (told.kind, "inv setup-aws" in told.decide) == ("translated", True)
    elsewhere = {"SourceConfiguration": source}
    told = row(mapped(elsewhere, image=None, connection={"ProviderType": "BITBUCKET"}), "ConnectionArn")
    assert (told.kind, "its own pipeline" in told.decide) == ("translated", True)


def test_apprunner_yaml_counts_where_the_service_says_so() -> None:
    made = mapped({"SourceConfiguration": code_source("REPOSITORY")}, image=None)
    assert row(made, "ConfigurationSource").decide == "run it again in a checkout of the repository"
    file = {"Runtime": "NODEJS_18", "StartCommand": "node .", "Port": "3000", "PortVariable": "HTTP_PORT"}
    made = mapped({"SourceConfiguration": code_source("REPOSITORY")}, image=None, source_file=file)
    assert row(made, "ConfigurationSource").kind == "translated"
    assert 'ENV HTTP_PORT="3000"' in made.files["Dockerfile.apprunner"]
    assert setting(made, "container.port") == 3000


# Beside


def test_tracing_is_taken_along_with_its_permission() -> None:
    traced = {
        "ObservabilityConfiguration": {"ObservabilityEnabled": True, "ObservabilityConfigurationArn": "arn"}
    }
    made = mapped(traced, observability={"TraceConfiguration": {"Vendor": "AWSXRAY"}})
    assert {row(made, name).kind for name in ("ObservabilityEnabled", "Vendor")} == {"translated"}
    settings = load(made.settings)
    assert settings.xray.enabled
    assert settings.task_policies("aws") == ("arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",)
    allowed = RoleFacts(f"arn:aws:iam::{ACCOUNT}:role/app", managed=settings.task_policies("aws"))
    assert load(mapped(traced, instance_role=allowed).settings).task_policies("aws") == allowed.managed
    assert not load(mapped().settings).xray.enabled


WEB_ACL = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/ours/11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("public", [True, False])
def test_the_firewall_is_the_same_one(public: bool) -> None:
    network = {"NetworkConfiguration": {"IngressConfiguration": {"IsPubliclyAccessible": public}}}
    made = mapped(network, web_acl=WEB_ACL)
    told = row(made, "(web ACL)")
    assert (told.kind, told.old, told.decide) == ("same", WEB_ACL, "")
    assert ("apply to the load balancer" in told.note) is not public
    assert load(made.settings).load_balancer.web_acl == WEB_ACL
    assert load(mapped().settings).load_balancer.web_acl is None


def test_a_firewall_that_may_not_be_read_is_not_no_firewall() -> None:
    made = mapped(unknown={"web-ACL": "AWS refused wafv2:GetWebACLForResource"})
    (told,) = [each for each in made.rows if each.setting == "(web ACL)"]
    assert (told.kind, told.old) == ("approximated", "not known")
    assert "load_balancer.web_acl" in told.decide


@pytest.mark.parametrize(("status", "kind"), [("PAUSED", "approximated"), ("CREATE_FAILED", "approximated")])
def test_states_that_matter(status: str, kind: str) -> None:
    assert row(mapped({"Status": status}), "Status").kind == kind


def test_as_many_tags_are_taken_along_as_there_is_room_for() -> None:
    made = mapped(tags={"team": "a b", "Cost Center": "7"})
    assert load(made.settings).tags == {"team": "a b", "Cost Center": "7"}
    made = mapped(tags={f"t{number:02}": "" for number in range(50)})
    assert len(load(made.settings).tags) == 47
    assert row(made, "Tags").old == ["t47", "t48", "t49"]


def test_tags_that_iam_refuses_are_told() -> None:
    made = mapped(tags={"team": "a#b"})
    assert setting(made, "tags") is None
    assert row(made, "tags").kind == "approximated"


@pytest.mark.parametrize(
    ("groups", "days", "kind"),
    [
        ({"/a": None, "/b": None}, 30, "approximated"),
        ({"/a": 7, "/b": 14}, 14, "translated"),
        ({}, 30, "translated"),
    ],
)
def test_logs_are_kept_as_long(groups: dict[str, int | None], days: int, kind: str) -> None:
    made = mapped(log_groups=groups)
    assert load(made.settings).logs.retention_days == days
    assert row(made, "(log groups)").kind == kind


def test_what_could_not_be_read_is_told() -> None:
    made = mapped(unknown={"role app": "AWS refused iam:GetRole on app", "activity": "no"})
    assert row(made, "(role app)").kind == "approximated"
    assert not [each for each in made.rows if "activity" in each.setting]
