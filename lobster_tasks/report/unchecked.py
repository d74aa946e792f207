"""What a check that could not be made would have told, and how to have it made: by the check's id."""

from __future__ import annotations

from collections.abc import Mapping


def _made_by(command: str) -> str:
    """Either it is not there yet, or AWS did not let it be seen: the reason beside it says which."""
    return f"{command} where it is not there yet; where AWS refused, allow the call to who asks"


_ROLES = _made_by("inv create-iam-policies")
_GROUPS = _made_by("inv create-security-groups")
_BALANCER = _made_by("inv setup-application-load-balancer")
_SERVICE = _made_by("inv create-fargate-service")
_RELEASE = _made_by("inv deploy --tag T")
_SECRETS = "ask as somebody who may see them, in the account and region that have them"
_ROUTES = "look yourself where the way leads; where AWS refused, allow the call to who asks"
_ALLOW = "allow the call to who asks"
_READ = "name the file in `dockerfile`, or put it there"
_SAY = (
    'say it in the command, as in CMD ["streamlit", "run", "app.py", "--server.port=8501"], or look yourself'
)

# The check's id, what it would have told, and how to have it told.
UNCHECKED: Mapping[str, tuple[str, str]] = {
    "identity.caller": ("who is asking", _ALLOW),
    "roles.execution": ("whether ECS may assume the execution role", _ROLES),
    "roles.task": ("whether ECS may assume the task role", _ROLES),
    "roles.service-linked": ("whether ECS has its own role", _made_by("inv create-ecs-cluster")),
    "roles.pull": ("whether the execution role may pull the image", _ROLES),
    "roles.logs": ("whether the execution role may write the logs", _ROLES),
    "roles.secrets": ("whether the execution role may read the secrets", _ROLES),
    "roles.decrypt": ("whether the execution role may decrypt the secrets", _ROLES),
    "roles.pass": ("whether who asks may pass the roles to ECS", _ROLES),
    "secrets.exist": ("whether the secrets are there", _SECRETS),
    "secrets.form": ("whether the secrets are named as ECS takes them", _SECRETS),
    "network.subnets": ("whether the subnets are in two zones", _ALLOW),
    "network.routes": ("whether tasks reach AWS", _ROUTES),
    "network.public-address": ("whether tasks need a public address", _ROUTES),
    "network.public-access": ("whether VPC Block Public Access stands in the way", _ALLOW),
    "network.addresses": ("whether the subnets have free addresses", _ALLOW),
    "account.vcpus": ("the quota of Fargate", "allow servicequotas:GetServiceQuota to who asks"),
    "security.visitors": ("whether visitors reach the load balancer", _GROUPS),
    "security.load-balancer-out": ("whether the load balancer reaches the tasks", _GROUPS),
    "security.tasks": ("whether the tasks let the load balancer in", _GROUPS),
    "security.tasks-out": ("whether the tasks may reach AWS", _GROUPS),
    "load-balancer.active": ("whether the load balancer takes requests", _BALANCER),
    "load-balancer.zones": ("whether the load balancer is in the zones of the tasks", _BALANCER),
    "load-balancer.listener": ("whether a listener forwards to the tasks", _BALANCER),
    "load-balancer.web-acl": ("whether the web ACL protects the load balancer", _BALANCER),
    "targets.kind": ("whether the target group is for Fargate", _BALANCER),
    "targets.port": ("whether the target group has the container's port", _BALANCER),
    "targets.health-path": ("whether the health check asks a path that tells", _BALANCER),
    "targets.healthy": ("whether the tasks are healthy", _RELEASE),
    "ecs.cluster": ("whether the cluster is active", _made_by("inv create-ecs-cluster")),
    "ecs.service": ("whether the service runs as many tasks as it should", _SERVICE),
    "ecs.revision": ("whether the service's revision is active", _SERVICE),
    "ecs.image": ("whether the service's image is in the repository", _RELEASE),
    "logs.group": ("whether the log group is there", _made_by("inv setup-fargate")),
    "logs.options": ("whether the tasks log to it", _made_by("inv create-task-definition")),
    "answers.page": (
        "whether the page answers",
        "inv deploy --tag T where no task runs; ask from where the load balancer lets visitors in",
    ),
    "answers.websocket": (
        "whether the WebSocket opens",
        "inv deploy --tag T where no task runs; ask from where the load balancer lets visitors in",
    ),
    "dockerfile.readable": ("whether a builder can read the Dockerfile", _READ),
    "dockerfile.command": ("whether the Dockerfile's command is what it was meant to be", _READ),
    "dockerfile.start-scripts": ("whether start scripts have the line ends of Linux", _READ),
    "dockerfile.expose": ("whether EXPOSE names the container's port", _READ),
    "dockerfile.port": ("whether the app listens on the container's port", _SAY),
    "dockerfile.address": ("whether the app listens where the load balancer reaches it", _SAY),
    "dockerfile.base-path": ("whether what is asked is below the app's own path", _SAY),
    "dockerfile.signals": (
        "whether the app hears SIGTERM",
        'write CMD as a list, or let the script\'s last line begin with "exec"',
    ),
    "dockerfile.user": ("whether the app runs as root", _READ),
    "dockerfile.health-check": ("whether HEALTHCHECK is of use", _READ),
    "dockerfile.base": ("whether the base images have a version", _READ),
    "dns.records": ("whether DNS still leads to App Runner", ""),
    "parity.rows": ("whether both answer alike", ""),
}
