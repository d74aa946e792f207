"""Amazon ECS's messages: service events, rollout reasons, stop reasons.

Sources: Amazon ECS Developer Guide, "Viewing Amazon ECS service event messages", "Resolve Amazon ECS stopped
task errors" and "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

from collections.abc import Sequence


def started(service: str, tasks: Sequence[str], replaced: int = 0) -> str:
    """Tasks were started; ``replaced`` of them replace unhealthy ones."""
    ids = " ".join(f"(task {task})" for task in tasks)
    tail = f" Amazon ECS replaced {replaced} tasks due to an unhealthy status." if replaced else ""
    return f"(service {service}) has started {len(tasks)} tasks: {ids}.{tail}"


def stopped(service: str, tasks: Sequence[str]) -> str:
    """Tasks were told to stop."""
    ids = " ".join(f"(task {task})" for task in tasks)
    return f"(service {service}) has stopped {len(tasks)} running tasks: {ids}."


def registered(service: str, count: int, group: str) -> str:
    """Targets were registered."""
    return f"(service {service}) registered {count} targets in (target-group {group})"


def deregistered(service: str, count: int, group: str) -> str:
    """Targets were deregistered."""
    return f"(service {service}) deregistered {count} targets in (target-group {group})"


def draining(service: str, count: int) -> str:
    """Connections of stopping tasks are drained."""
    return f"(service {service}) has begun draining connections on {count} tasks."


def steady(service: str) -> str:
    """The service has its desired state."""
    return f"(service {service}) has reached a steady state."


def deployment_completed(service: str, deployment: str) -> str:
    """A deployment has completed."""
    return f"(service {service}) (deployment {deployment}) deployment completed."


def deployment_failed(service: str, deployment: str) -> str:
    """The circuit breaker tripped."""
    return f"(service {service}) (deployment {deployment}) deployment failed: tasks failed to start."


def rolling_back(service: str, deployment: str) -> str:
    """The service is rolled back to an earlier deployment."""
    return f"(service {service}) rolling back to deployment {deployment}."


def unhealthy_target(service: str, task: str, port: int, group: str, why: str) -> str:
    """A load balancer's health check failed."""
    return (
        f"(service {service}) (task {task}) (port {port}) is unhealthy in (target-group {group}) "
        f"due to (reason {why})."
    )


def unhealthy_container(service: str, task: str) -> str:
    """A container's own health check failed."""
    return f"(service {service}) (task {task}) failed container health checks."


def unable_to_place(service: str, why: str) -> str:
    """A task was refused or failed before it ran."""
    return f"(service {service}) was unable to place a task. Reason: {why}"


def failed_to_launch(service: str, error: str) -> str:
    """A task could not be created, for example because ECS cannot assume a role."""
    return f"service {service} failed to launch a task with (error {error})."


def inconsistent(service: str) -> str:
    """Tasks keep failing, and ECS waits longer between attempts."""
    return f"(service {service}) is unable to consistently start tasks successfully."


def deadlocked(service: str) -> str:
    """Minimum and maximum percent do not allow any start or stop."""
    return (
        f"(service {service}) was unable to stop or start tasks during a deployment because of the service "
        "deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )


def in_progress(deployment: str) -> str:
    """rolloutStateReason of a running deployment."""
    return f"ECS deployment {deployment} in progress."


def completed(deployment: str) -> str:
    """rolloutStateReason of a completed deployment."""
    return f"ECS deployment {deployment} completed."


def breaker_rolls_back(deployment: str) -> str:
    """rolloutStateReason of a rollback's deployment."""
    return f"ECS deployment circuit breaker: rolling back to deploymentId {deployment}."


def scaling(deployment: str) -> str:
    """stoppedReason of a task that is no longer desired."""
    return f"Scaling activity initiated by (deployment {deployment})"


def failed_elb(group: str) -> str:
    """stoppedReason of a task that fails a load balancer's health checks."""
    return f"Task failed ELB health checks in (target-group {group})"


def cannot_assume(role: str) -> str:
    """ECS cannot assume a role of the task definition."""
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
        "pass this role."
    )


NO_SERVICE_ROLE = (
    "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
)
BREAKER_FAILED = "ECS deployment circuit breaker: tasks failed to start."
BREAKER_STATUS = "Service deployment rolled back because the circuit breaker threshold was exceeded."
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
NO_CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone."
)
BLOCKED = "Your AWS account was blocked. For more information, contact AWS Support."
VCPU_LIMIT = "You’ve reached the limit on the number of vCPUs you can run concurrently"
SPOT_INTERRUPTED = "Your Spot Task was interrupted."
FAILED_CONTAINER_CHECKS = "Task failed container health checks"
ESSENTIAL_EXITED = "Essential container in task exited"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
