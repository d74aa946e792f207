"""The library on tasks that are containers: a rehearsal, and a command inside a task."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.embedded.identities import allow, policy
from tests.engines import ContainerEngine, busybox
from tests.engines.test_container_runtime import SSM, made, running
from tests.project import Project, make

pytestmark = pytest.mark.engine

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
COPY index.cgi /www/cgi-bin/
RUN mkdir -p /www/_stcore && echo ok > /www/_stcore/health && echo by RUN > /built
ARG RELEASE=dev
ENV VERSION=${RELEASE}
EXPOSE 8501
CMD ["httpd", "-f", "-p", "8501", "-h", "/www"]
"""
PAGE = """\
#!/bin/sh
head -c "${CONTENT_LENGTH:-0}" >/dev/null
printf 'Content-Type: text/plain\\r\\n\\r\\n'
cat /built
"""
SETTINGS = "probe: {path: /, websocket: false}"


@pytest.fixture
def project(tmp_path: Path, docker: ContainerEngine) -> Project:
    """A project whose image has RUN; no AWS anywhere."""
    found = make(tmp_path, None, files={"Dockerfile.streamlit": DOCKERFILE})
    for name, content in (("busybox", busybox()), ("index.cgi", PAGE.encode())):
        (found.folder / name).write_bytes(content)
        (found.folder / name).chmod(0o755)
    found.settings(SETTINGS)
    found.environment.update(docker.environment)
    return found


def test_rehearses_with_the_image_itself(project: Project, docker: ContainerEngine) -> None:
    before = made(docker)
    answer = project.inv("rehearse", "--runtime", "auto", "--no-from-apprunner", "--json").check().json
    told = "\n".join(moment["what"] for moment in answer["timeline"])
    assert answer["verdict"] == "passed", told
    assert "tasks are containers of docker" in told
    assert answer["requests"]["failed"] == 0
    assert made(docker) == before
    assert "127.0.0.1" not in docker.run("images")


def test_runs_a_command_in_a_task(project: Project, docker: ContainerEngine) -> None:
    with running(docker) as aws:
        access = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
        project.environment.update(AWS_ENDPOINT_URL=aws.url, **access)
        words = ("setup-fargate", "push-image", "--tag", "a", "--builder", "docker", "deploy", "--tag", "a")
        project.inv(*words).check()
        iam, ecs = aws.client("iam"), aws.client("ecs")
        iam.put_role_policy(RoleName="ecsTaskRole", PolicyName="exec", PolicyDocument=policy(allow(SSM)))
        (service,) = ecs.list_services(cluster="lobster-cluster")["serviceArns"]
        where = {"cluster": "lobster-cluster", "service": service}
        ecs.update_service(**where, enableExecuteCommand=True, forceNewDeployment=True)
        ecs.get_waiter("services_stable").wait(
            cluster=where["cluster"],
            services=[where["service"]],
            WaiterConfig={"Delay": 1, "MaxAttempts": 600},
        )
        shown = project.on_terminal("exec", "--command", "cat /built")
        assert "by RUN" in shown.check().out, json.dumps(shown.said)
