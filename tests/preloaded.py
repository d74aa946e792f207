"""Imported once by the fork server of the tests' commands: imports and loads what a command needs."""

from __future__ import annotations

import gc
import os
import pkgutil
from importlib import import_module

# The profile, endpoint and credentials of the user must not be visible during the imports.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)

import invoke.main  # noqa: E402, F401

import lobster_tasks  # noqa: E402
from lobster_tasks.aws import Aws  # noqa: E402

SERVICES = ("acm", "application-autoscaling", "apprunner", "ec2", "ecr", "ecs", "elbv2", "iam", "logs")
SERVICES += ("resourcegroupstaggingapi", "route53", "secretsmanager", "service-quotas", "ssm", "sts", "wafv2")
KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}

for each in pkgutil.walk_packages(lobster_tasks.__path__, "lobster_tasks."):
    import_module(each.name)
door = Aws("us-east-2", credentials=KEYS)
for service in SERVICES:
    door._client(service)  # loads the service's model
gc.freeze()
