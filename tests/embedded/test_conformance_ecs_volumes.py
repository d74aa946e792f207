"""Volumes of a task definition (API Reference: Volume, MountPoint, VolumeFrom; Developer Guide: bind mounts).

What tasks do with them is in ``tests/engines/test_container_runtime.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.refusals import refused

APP = {"name": "app", "image": "nginx"}


@pytest.fixture
def ecs(client: Any) -> Any:
    """An ECS client."""
    return client("ecs")


def register(ecs: Any, *volumes: dict[str, Any], fargate: bool = True, **more: Any) -> dict[str, Any]:
    """Register a task definition with volumes whose container has more members."""
    kind = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"} if fargate else {}
    made = ecs.register_task_definition(
        family="f", cpu="256", memory="512", containerDefinitions=[APP | more], volumes=volumes, **kind
    )
    return dict(made["taskDefinition"])


def test_a_bind_mount_without_a_host_is_for_fargate(ecs: Any) -> None:
    """Developer Guide, "Use bind mounts": "Bind mounts are supported for tasks that are hosted on both Fargate and
    Amazon EC2 instances"."""
    mounts = [{"sourceVolume": "data", "containerPath": "/data", "readOnly": True}]
    made = register(ecs, {"name": "data"}, {"name": "more", "host": {}}, mountPoints=mounts)
    assert [volume["name"] for volume in made["volumes"]] == ["data", "more"]
    assert made["containerDefinitions"][0]["mountPoints"] == mounts
    assert "FARGATE" in made["compatibilities"]


def test_fargate_has_no_path_of_a_host(ecs: Any) -> None:
    """ClientException "Fargate compatible task definitions do not support sourcePath": public logs of Terraform.

    HostVolumeProperties: "If you're using the Fargate launch type, the sourcePath parameter is not supported."
    """
    volume = {"name": "data", "host": {"sourcePath": "/var/data"}}
    with refused("ClientException", "Fargate compatible task definitions do not support sourcePath"):
        register(ecs, volume)
    assert register(ecs, volume, fargate=False)["volumes"] == [volume]


@pytest.mark.parametrize("name", ["dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"])
def test_fargate_has_no_volumes_of_an_instance(ecs: Any, name: str) -> None:
    """DockerVolumeConfiguration: "Docker volumes are only supported when you are using the EC2 launch type."
    FSx for Windows File Server: "not supported for tasks that use Fargate". The text is not known.
    """
    windows = {
        "fileSystemId": "fs-1",
        "rootDirectory": "share",
        "authorizationConfig": {"credentialsParameter": "arn", "domain": "d"},
    }
    value = {"scope": "task"} if name.startswith("docker") else windows
    with refused("ClientException", f"do not support {name}"):
        register(ecs, {"name": "data", name: value})


def test_a_mount_point_names_a_volume(ecs: Any) -> None:
    """ClientException "Unknown volume 'ephemera'.": public logs."""
    with refused("ClientException", "Unknown volume 'ephemera'."):
        register(ecs, {"name": "data"}, mountPoints=[{"sourceVolume": "ephemera", "containerPath": "/tmp"}])


def test_volumes_from_names_a_container(ecs: Any) -> None:
    """ClientException "Invalid 'volumesFrom' setting. Unknown container: 'container'.": public logs."""
    with refused("ClientException", "Invalid 'volumesFrom' setting. Unknown container: 'container'."):
        register(ecs, volumesFrom=[{"sourceContainer": "container"}])


@pytest.mark.parametrize("names", [["a b"], ["x" * 256], ["one", "one"]])
def test_names_of_volumes(ecs: Any, names: list[str]) -> None:
    """Volume, name: "Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed"."""
    with refused("ClientException", "Volume.name contains"):
        register(ecs, *({"name": name} for name in names))


@pytest.mark.parametrize("paths", [["data"], ["/"], ["/data/../etc"], ["/data", "/data/"]])
def test_a_container_has_a_path_for_each_volume(ecs: Any, paths: list[str]) -> None:
    """MountPoint, containerPath: "The path on the container to mount the host volume at". That it is absolute, and one
    volume's only, is a rule of the runtime of containers; the text is not known."""
    with refused("ClientException", ""):
        register(
            ecs,
            {"name": "data"},
            mountPoints=[{"sourceVolume": "data", "containerPath": each} for each in paths],
        )


@pytest.mark.parametrize(
    "given",
    [
        {"sharedMemorySize": 64},
        {"maxSwap": 64},
        {"swappiness": 10},
        {"devices": [{"hostPath": "/dev/null"}]},
        {"capabilities": {"add": ["NET_ADMIN"]}},
    ],
    ids=lambda given: next(iter(given)),
)
def test_parameters_of_linux_that_fargate_does_not_have(ecs: Any, given: dict[str, Any]) -> None:
    """LinuxParameters: "If you are using tasks that use the Fargate launch type, the sharedMemorySize parameter is not
    supported", and so for devices, maxSwap and swappiness. KernelCapabilities, add: "Tasks launched on AWS Fargate only
    support adding the SYS_PTRACE kernel capability." The texts are not known.
    """
    with refused("ClientException", "do not support"):
        register(ecs, linuxParameters=given)


def test_parameters_of_linux_that_fargate_has(ecs: Any) -> None:
    """What's New, 6 January 2026: "Amazon ECS now supports tmpfs mounts for Linux tasks running on AWS Fargate"."""
    given = {
        "tmpfs": [{"containerPath": "/run/app", "size": 16, "mountOptions": ["noexec"]}],
        "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
        "initProcessEnabled": True,
    }
    assert register(ecs, linuxParameters=given)["containerDefinitions"][0]["linuxParameters"] == given
