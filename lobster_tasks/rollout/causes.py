"""The closed list of causes, by code; each has a page in docs/causes/.

A code is what other programs rely on: it never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CODES: Mapping[str, str] = {
    "image-not-found": "The repository does not have the image.",
    "image-platform": "The image is for another processor than the task's.",
    "image-format": "The image has a part of a kind that Fargate does not unpack.",
    "no-route-to-registry": "The task's network does not lead to ECR, CloudWatch Logs or Secrets Manager.",
    "public-access-blocked": "VPC Block Public Access drops what goes through the internet gateway.",
    "registry-denied": "The execution role may not pull the image.",
    "pull-rate-limit": "The registry refuses further pulls for now.",
    "secret-not-found": "A secret or parameter is not there, or has no value.",
    "secret-not-readable": "The execution role may not read a secret or parameter.",
    "secret-key-missing": "A secret does not have the JSON key that is asked of it.",
    "log-group-missing": "The log group is not there.",
    "log-group-region": "The log group is looked for in another region.",
    "log-options": "The log driver does not take its options.",
    "logs-denied": "The execution role may not write to the log group.",
    "execution-role-not-assumable": "ECS cannot assume the execution role.",
    "task-role-missing": "The task role is not there.",
    "task-role-not-assumable": "ECS cannot assume the task role.",
    "pass-role-denied": "Who deploys may not pass the roles to ECS.",
    "service-role-denied": "ECS may not do what it has to do for the service.",
    "environment-file": "The execution role does not get an environment file from S3.",
    "volume-failed": "A volume of the task cannot be made or mounted.",
    "exits": "The program ends.",
    "out-of-memory": "The container needs more memory than the task has.",
    "disk-full": "The task's disk has no room left.",
    "start-timeout": "A container did not start in the time that Fargate gives it.",
    "command-not-found": "The image does not have the program that is to be run.",
    "exec-format": "The program is not for this processor, or has no interpreter line.",
    "cannot-start": "The container cannot be started.",
    "slow-start": "The app does not listen yet when the load balancer gives the task up.",
    "wrong-port": "The app listens on another port than the container's.",
    "bound-to-loopback": "The app listens on loopback only, where the load balancer does not reach it.",
    "health-path-status": "The health check's path answers with a status that is not healthy.",
    "health-check-timeout": "The health check is not answered in time.",
    "security-group-blocks": "A security group does not let the load balancer reach the tasks.",
    "target-not-in-use": "No listener forwards to the target group, or not in the task's zone.",
    "target-group-mismatch": "The target group does not fit the tasks.",
    "target-missing": "The target group, or the task's place in it, is gone.",
    "unhealthy-later": "The tasks were healthy, and then were not.",
    "container-health-check": "The container's own health check fails.",
    "no-capacity": "Fargate has no room at the moment.",
    "quota": "The account's quota is used up.",
    "no-addresses": "The subnets have no free address.",
    "network-interface": "EC2 did not give the task its network interface.",
    "zone-without-fargate": "A subnet is in a zone in which Fargate starts no tasks.",
    "throttled": "ECS is held back by a limit, and tries again later.",
    "platform-error": "AWS's own agent or runtime failed.",
    "maintenance": "AWS stopped the task to maintain what it runs on.",
    "not-on-fargate": "The service starts its tasks on container instances, not on Fargate.",
    "tasks-protected": "More tasks are protected from being stopped than are wanted.",
    "spot-interrupted": "AWS took the Spot capacity back.",
    "deployment-percent": "Minimum and maximum percent leave ECS no room to move.",
    "ignores-sigterm": "The program does not end on SIGTERM and is killed.",
    "stopped-by-user": "Somebody stopped it.",
    "superseded": "Another deployment took its place.",
    "service-busy": "Another deployment is under way.",
    "service-gone": "The service is not there, or is being deleted.",
    "scaled-to-zero": "The service is asked for no tasks.",
    "no-release-before": "There is no release to go back to.",
    "rollback-failed": "The release before does not serve either.",
    "probe-failed": "The app does not answer as it should through the load balancer.",
    "not-reachable-from-here": "The load balancer lets in others than the machine that asks.",
    "refused": "Something that a deployment needs is not there.",
    "out-of-time": "It was still moving when the time was up.",
    "unknown": "What AWS shows does not say why.",
}


@dataclass(frozen=True)
class Cause:
    """Why a rollout is not live: a code, a sentence, what shows it, and the next command or step.

    ``changed`` is what the release changed, where that may be why. ``heals`` says whether waiting may help.
    """

    code: str
    message: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    changed: tuple[str, ...] = ()
    heals: bool = True

    @property
    def page(self) -> str:
        """The code's page in the documentation."""
        return f"docs/causes/{self.code}.md"

    def as_json(self) -> dict[str, object]:
        """The stable shape: what the release changed is evidence too."""
        changed = [f"changed: {line}" for line in self.changed]
        return {
            "code": self.code,
            "message": self.message,
            "evidence": [*self.evidence, *changed],
            "remedy": self.remedy,
        }
