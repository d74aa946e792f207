"""Explains checks that could not be made: what they check, and what makes them possible."""

from __future__ import annotations

from collections.abc import Mapping


def _made_by(command: str) -> str:
    """The resource does not exist yet, or AWS refused the call; the check's reason says which."""
    return f"{command} if it does not exist yet; if AWS refused the call, allow it"


_ROLES = _made_by("inv create-iam-policies")
_GROUPS = _made_by("inv create-security-groups")
_BALANCER = _made_by("inv setup-application-load-balancer")
_SERVICE = _made_by("inv create-fargate-service")
_RELEASE = _made_by("inv deploy --tag T")
_SECRETS = "run it with permission to see them, in their account and region"
_ROUTES = "check yourself where the route leads; if AWS refused the call, allow it"
_ALLOW = "allow the call"
_VISIT = "inv deploy --tag T where no task runs; ask from where the load balancer lets visitors in"
_READ = "set `dockerfile`, or create the file"
_SAY = 'name it in the command, as in CMD ["streamlit", "run", "app.py", "--server.port=8501"], or check yourself'

# The check's id, what it checks, and what makes it possible.
UNCHECKED: Mapping[str, tuple[str, str]] = {
    "identity.caller": ("whose credentials these are", _ALLOW),
    "roles.execution": ("whether ECS can assume the execution role", _ROLES),
    "roles.task": ("whether ECS can assume the task role", _ROLES),
    "roles.service-linked": ("whether ECS has its own role", _made_by("inv create-ecs-cluster")),
    "roles.pull": ("whether the execution role may pull the image", _ROLES),
    "roles.logs": ("whether the execution role may write the logs", _ROLES),
    "roles.secrets": ("whether the execution role may read the secrets", _ROLES),
    "roles.decrypt": ("whether the execution role may decrypt the secrets", _ROLES),
    "roles.pass": ("whether this identity can pass the roles to ECS", _ROLES),
    "secrets.exist": ("whether the secrets exist", _SECRETS),
    "secrets.form": ("whether the secrets' names are valid for ECS", _SECRETS),
    "network.subnets": ("whether the subnets are in two zones", _ALLOW),
    "network.routes": ("whether tasks reach AWS", _ROUTES),
    "network.public-address": ("whether tasks need a public address", _ROUTES),
    "network.public-access": ("whether VPC Block Public Access blocks traffic", _ALLOW),
    "network.addresses": ("whether the subnets have free addresses", _ALLOW),
    "account.vcpus": ("the quota of Fargate", "allow servicequotas:GetServiceQuota"),
    "security.visitors": ("whether visitors reach the load balancer", _GROUPS),
    "security.load-balancer-out": ("whether the load balancer reaches the tasks", _GROUPS),
    "security.tasks": ("whether the tasks let the load balancer in", _GROUPS),
    "security.tasks-out": ("whether the tasks' rules allow traffic to AWS", _GROUPS),
    "load-balancer.active": ("whether the load balancer accepts requests", _BALANCER),
    "load-balancer.zones": ("whether the load balancer is in the zones of the tasks", _BALANCER),
    "load-balancer.listener": ("whether a listener forwards to the tasks", _BALANCER),
    "load-balancer.web-acl": ("whether the web ACL protects the load balancer", _BALANCER),
    "load-balancer.sign-in": ("whether visitors have to sign in", _BALANCER),
    "load-balancer.distribution": ("whether a distribution leads to the load balancer", _BALANCER),
    "load-balancer.distribution-web-acl": ("whether the web ACL protects the distribution", _BALANCER),
    "targets.kind": ("whether the target group is for Fargate", _BALANCER),
    "targets.port": ("whether the tasks are registered with the container's port", _BALANCER),
    "targets.health-path": ("whether the health check's path shows that the app works", _BALANCER),
    "targets.healthy": ("whether the tasks are healthy", _RELEASE),
    "ecs.cluster": ("whether the cluster is active", _made_by("inv create-ecs-cluster")),
    "ecs.service": ("whether the service runs as many tasks as it should", _SERVICE),
    "ecs.revision": ("whether the service's revision is active", _SERVICE),
    "ecs.image": ("whether the service's image is in the repository", _RELEASE),
    "logs.group": ("whether the log group exists", _made_by("inv setup-fargate")),
    "logs.options": ("whether the tasks log to it", _made_by("inv create-task-definition")),
    "answers.page": ("whether the page answers", _VISIT),
    "answers.websocket": ("whether the WebSocket opens", _VISIT),
    "dockerfile.readable": ("whether the Dockerfile can be read", _READ),
    "dockerfile.command": ("whether the Dockerfile's command is in exec form as intended", _READ),
    "dockerfile.start-scripts": ("whether start scripts have Linux line endings", _READ),
    "dockerfile.expose": ("whether EXPOSE names the container's port", _READ),
    "dockerfile.port": ("whether the app listens on the container's port", _SAY),
    "dockerfile.address": ("whether the app listens where the load balancer reaches it", _SAY),
    "dockerfile.base-path": ("whether the checked paths are under the app's base path", _SAY),
    "dockerfile.signals": (
        "whether the app receives SIGTERM",
        'write CMD as a list, or let the script\'s last line begin with "exec"',
    ),
    "dockerfile.user": ("whether the app runs as root", _READ),
    "dockerfile.health-check": ("whether HEALTHCHECK has an effect", _READ),
    "dockerfile.base": ("whether the base images have a version", _READ),
    "dns.records": ("whether DNS still leads to App Runner", ""),
    "parity.rows": ("whether both answer alike", ""),
}
