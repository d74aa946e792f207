"""Imported once by the server that the tests' commands are forked from: what they would all import and read."""

from __future__ import annotations

import gc
import os
import pkgutil
import warnings
from importlib import import_module

# No profile, endpoint or credential of whoever runs the tests is to be seen while this is imported.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
warnings.filterwarnings("ignore", module=r"moto\.")  # it warns of each error code that no model names

import lobster_tasks  # noqa: E402
from embedded_aws import aws, services  # noqa: E402, F401
from embedded_aws.moto import adapter, dispatch  # noqa: E402
from embedded_aws.shapes import patterns  # noqa: E402
from lobster_tasks.aws import Aws  # noqa: E402
from tests.embedded.handlers import HANDLERS  # noqa: E402

for service in ("iam", *HANDLERS):
    dispatch.warm_up(service)
for held in vars(adapter).values():
    if isinstance(held, adapter.Backends):
        held[adapter.DEFAULT_ACCOUNT_ID]  # reads the regions of the service
adapter.empty_moto()
for service in ("iam", *HANDLERS):
    model = dispatch.model_of(service)
    for shape in map(model.shape_for, model.shape_names):
        if "pattern" in shape.metadata:
            patterns.matches(shape.metadata["pattern"], "")  # the classes of Unicode are long
for each in pkgutil.iter_modules(lobster_tasks.__path__, "lobster_tasks."):
    import_module(each.name)

KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
door = Aws("us-east-2", credentials=KEYS)
for service in HANDLERS:
    door._client(dispatch.model_name(service))
gc.freeze()
