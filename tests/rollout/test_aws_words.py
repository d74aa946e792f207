"""Every message that AWS's troubleshooting pages list, as they list it, has its cause.

Source: Amazon ECS Developer Guide, the pages that stand above each list. Where a page gives no more than the class of
an error, so does the list. What is marked as seen was sent by AWS and is in public reports, not in the guide.
"""

from __future__ import annotations

import re

import pytest

from lobster_tasks.rollout.diagnosis.causes import CODES, Cause
from lobster_tasks.rollout.diagnosis.diagnose import diagnose
from lobster_tasks.rollout.diagnosis.stop_reasons import ELB, EXITED, ROLE, codes_of

from .shapes import stopped
from .test_diagnose import IMAGE, SECRET, definition, evidence, not_started

OVER_TO = {ELB: "health", EXITED: "exits", ROLE: "execution-role-not-assumable"}
NET = "no-route-to-registry"
EC2 = "not-on-fargate"

# "CannotPullContainer task errors in Amazon ECS"
PULL = {
    "The task can’t pull the image. Check that the role has the permissions to pull images from the registry.": (
        "registry-denied"
    ),
    f"The task cannot pull ‘{IMAGE}’ from the Amazon ECR repository ‘homara’. There is a connection issue between the "
    "task and Amazon ECR. Check your task network configuration.": NET,
    "The task can’t pull the image. Check your network configuration": NET,
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref": (
        "image-not-found"
    ),
    "API error (500): Get https://111122223333.dkr.ecr.us-east-1.amazonaws.com/v2/: net/http: request canceled while "
    "waiting for connection": NET,
    "CannotPullContainerError: API error": NET,
    "write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device": "disk-full",
    "ERROR: toomanyrequests: Too Many Requests": "pull-rate-limit",
    "You have reached your pull rate limit.": "pull-rate-limit",
    "Error response from daemon: Get url: net/http: request canceled while waiting for connection": NET,
    "ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open: unexpected status code": NET,
    "pull access denied": "image-not-found",
    "pull command failed: panic: runtime error: invalid memory address or nil pointer dereference": NET,
    "error pulling image conf": "pull-rate-limit",
    "error pulling image configuration": "pull-rate-limit",
    "Context canceled": NET,
}
# "Troubleshooting Amazon ECS ResourceInitializationError errors", "… ResourceNotFoundException errors"
RESOURCES = {
    "The task cannot pull registry authentication from Amazon ECR. There is a connection issue between the task and "
    "Amazon ECR. Check your task network configuration.": NET,
    "The task can't download the environment variable files from Amazon S3. There is a connection issue between the "
    "task and Amazon S3. Check your task network configuration.": NET,
    "The task cannot pull secrets from AWS Systems Manager Parameter Store. Check your network connection between the "
    "task and AWS Systems Manager.": NET,
    "The task can’t pull secrets from AWS Secrets Manager. There is a connection issue between the task and Secrets "
    "Manager. Check your task network configuration.": NET,
    f"The task can’t pull the secret from Secrets Manager. The task can't retrieve the secret with ARN ‘{SECRET}' from "
    "Secrets Manager. Check whether the secret exists in the specified Region.": "secret-not-found",
    "pull command failed: unable to pull secrets or registry auth Check your task network configuration.": NET,
    "The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a connection issue "
    "between the task and Amazon CloudWatch. Check your network configuration.": "log-group-missing",
    "failed to initialize logging driver": "log-group-missing",
    "failed to invoke EFS utils commands to set up EFS volumes": "volume-failed",
    f"Fetching secret data from AWS Secrets Manager in region us-east-2: secret {SECRET}: ResourceNotFoundException: "
    "Secrets Manager can't find the specified secret.": "secret-not-found",
}
# The same page: "The problem is a network issue when you see any of the following strings in the error message".
SIGNS_OF_A_NETWORK = (
    "dial tcp",
    "dial udp",
    "10.0.0.1:443: i/o timeout",
    "net/http: TLS handshake timeout",
    "read: connection timed out",
    "Client.Timeout exceeded while awaiting headers",
    "net/http: request canceled while waiting for connection",
    "context deadline exceeded",
)
# "Troubleshooting Amazon ECS TaskFailedToStart errors", and the pages of the other categories.
STOPPED = {
    "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
    "'subnet-1'": "no-addresses",
    "InternalError: the agent failed": "platform-error",
    "The selected task definition is not compatible with the selected compute strategy": EC2,
    "Unable to attach network interface to unused device index": EC2,
    "AGENT": EC2,
    "SpotInterruptionError: SpotInterruption": "spot-interrupted",
    "OutOfMemoryError: container killed due to memory usage": "out-of-memory",
    "ContainerRuntimeError: runtime": "platform-error",
    "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m: x": "start-timeout",
    "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s": "start-timeout",
    "CannotStartContainerError: failed to get container status: reason": "out-of-memory",
    "CannotStopContainerError: failed sending SIGTERM to container: reason": "platform-error",
    "CannotInspectContainerError: reason": "platform-error",
    "CannotCreateVolumeError: reason": "volume-failed",
    "CannotCreateContainerError: API error (500): devmapper: Thin Pool has 4350 free data blocks which is less than "
    "minimum required 4454 free data blocks. Create more free space in thin pool or use dm.min_free_space option to "
    "change behavior": "disk-full",
    # "Checking stopped tasks for errors", "Task retirement and maintenance for AWS Fargate"
    "Task failed ELB health checks in (elb elb-name)": ELB,
    "Host EC2 (instance i-1) stopped/terminated.": EC2,
    "Container instance deregistration forced by user": EC2,
    "Essential container in task exited": EXITED,
    "ECS is performing maintenance on the underlying infrastructure hosting the task": "maintenance",
    # "Amazon ECS API failure reasons", DescribeTasks and RunTask
    "TaskFailedToStart: RESOURCE:CPU": EC2,
    "TaskFailedToStart: RESOURCE:MEMORY": EC2,
    "TaskFailedToStart: AGENT": EC2,
    "TaskFailedToStart: MemberOf placement constraint unsatisfied": EC2,
    "TaskFailedToStart: ATTRIBUTE": EC2,
    "TaskFailedToStart: NO ACTIVE INSTANCES": EC2,
    "TaskFailedToStart: EMPTY CAPACITY PROVIDER": EC2,
    "RESOURCE:ENI": EC2,
    "RESOURCE:GPU": EC2,
    "LOCATION": EC2,
}
# "Amazon ECS service event messages"
PLACE = "(service s) was unable to place a task"
NO_INSTANCE = f"{PLACE} because no container instance met all of its requirements."
EVENTS = {
    NO_INSTANCE: EC2,
    f"{NO_INSTANCE} The closest matching container-instance i has insufficient CPU units available.": EC2,
    f'{NO_INSTANCE} The closest matching container-instance i encountered error "AGENT".': EC2,
    "The closest matching container-instance is already using a port required by your task.": EC2,
    "service (s) (task t) (instance i) is unhealthy in (elb e) due to (reason Instance has failed at least the "
    "UnhealthyThreshold number of health checks consecutively.)": ELB,
    "service (s) operations are being throttled. Will try again later.": "throttled",
    "(service s) was unable to stop or start tasks during a deployment because of the service deployment "
    "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.": "deployment-percent",
    f"{PLACE}. Reason: You've reached the limit on the number of tasks you can run concurrently": "quota",
    f"{PLACE}. Reason: Internal error.": "zone-without-fargate",
    f"{PLACE}. Reason: The requested CPU configuration is above your limit.": "quota",
    f"{PLACE}. Reason: The requested MEMORY configuration is above your limit.": "quota",
    f"{PLACE}. Reason: You’ve reached the limit on the number of vCPUs you can run concurrently": "quota",
    "service (s) was unable to reach steady state because task set (t) was unable to scale in. Reason: The number of "
    "protected tasks are more than the desired count of tasks": "tasks-protected",
    "service (s) was unable to reach steady state. Reason: No Container Instances were found in your capacity "
    "provider.": EC2,
    f"{PLACE}. Reason: Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone.": "no-capacity",
    "service (s) Timed out waiting for Amazon ECS Agent to start. Please check logs at "
    "/var/log/ecs/ecs-agent.log": EC2,
    "service (s) task set (t) (task t) is not healthy in target-group (g) due to TARGET GROUP IS NOT FOUND.": (
        "target-missing"
    ),
    "service (s) task set (t) (task t) is not healthy in target-group (g) due to "
    "TARGET IS NOT FOUND.": "target-missing",
    "IAM permissions policies have been misconfigured or changed, and ECS can no longer maintain your service": (
        "service-role-denied"
    ),
    "IAM trust relationship has been misconfigured or changed, and ECS can no longer maintain your service": ROLE,
    "service (s) could not launch 2 tasks for deployment ecs-svc/1.": "no-capacity",
    "service (s) was unable to place tasks in your cluster because the tasks provisioning capacity limit was "
    "exceeded.": "throttled",
}
# Seen: containers-roadmap 384 and 2599, aws-cdk 30258, amazon-ecs-agent 4825, and what others' code handles.
SEEN = {
    "Timeout waiting for network interface provisioning to complete.": "network-interface",
    "Timeout waiting for EphemeralStorage provisioning to complete.": "platform-error",
    "Unexpected EC2 error while attempting to attach network interface to instance": "network-interface",
    "Unexpected EC2 error while attempting to tag the network interface: TagPolicyViolation": "network-interface",
    "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': "
    "InsufficientFreeAddressesInSubnet": "no-addresses",
    "ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin failed with no error "
    "message": "network-interface",
    "CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer sha256:7c52: write "
    "/var/lib/containerd/x.pyc: no space left on device: unknown": "disk-full",
    "CannotPullContainerError: ref pull has been retried 1 time(s): failed to unpack image on snapshotter overlayfs: "
    "failed to extract layer sha256:c023: failed to get stream processor for application/vnd.in-toto+json: no "
    "processor for media-type: unknown": "image-format",
    "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): operation "
    "error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden.": "environment-file",
    "Your Spot Task was interrupted.": "spot-interrupted",
    "Task stopped by user": "stopped-by-user",
}
RETRIED = "CannotPullContainerError: ref pull has been retried 1 time(s): failed to"
FETCH = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"
ASM = (
    f"{FETCH} unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
    f"{SECRET} from secrets manager:"
)
SSM = f"{FETCH} unable to retrieve secrets from ssm: service call has been retried 5 time(s):"
# What an image can be pulled for, and is wrong with: seen in the public reports named beside each.
UNPACKED = {
    # containers-roadmap 1133: AWS cuts the text off, there as "failed to extract layer sha256:X: context ca..."
    'CannotPullContainerError: containerd: pull command failed: time="2021-08-20T13:58:49Z" level=info msg="apply '
    'failure, attempting cleanup" error="failed to extract layer sha256:e246: write /var': "disk-full",
    # containers-roadmap 1598, Windows' words for a full disk
    f"{RETRIED} extract layer sha256:20ba: hcsshim::ImportLayer - failed failed in Win32: There is not enough space on "
    "the disk. (0x70)...": "disk-full",
    # aws-samples/dify-self-hosted-on-aws 3 and 29
    f"{RETRIED} unpack image on snapshotter overlayfs: mismatched image rootfs and manifest layers": "cannot-pull",
    # vrnithinkumar.github.io/2025/02/17/aws-ecs-docker-pull-error: layers of two compressions
    "CannotPullContainerError: ref pull has been retried 1 time(s): number of layers and diffIDs don't match: "
    "3 != 15": "cannot-pull",
    # runfinch/finch 80 and usernetes 311, of containerd as Fargate has it
    f"{RETRIED} unpack image on snapshotter overlayfs: failed to extract layer sha256:b51c: failed to Lchown "
    '"/opt/x" for UID 1185200044, GID 1185200044: lchown /opt/x: invalid argument (Hint: try increasing the '
    "number of subordinate IDs in /etc/subuid and /etc/subgid): unknown": "cannot-pull",
    # kind 1019 and containerd's unpacker: a layer that it does not have, of an image that is there
    f"{RETRIED} extract layer sha256:eada: failed to get reader from content store: content digest sha256:9a96: not "
    "found": "cannot-pull",
    f"{RETRIED} unpack image on snapshotter overlayfs: unexpected media type application/vnd.in-toto+json for "
    "sha256:5158: not found": "image-format",
    # aws-cdk 30680
    "CannotPullContainerError: unsupported media type application/vnd.in-toto+json": "image-format",
    # amazon-ecs-agent 739, in the words of docker
    "CannotPullContainerError: Error response from daemon: unauthorized: authentication required": (
        "registry-denied"
    ),
    "CannotPullContainerError: invalid reference format": "cannot-pull",
    f"{RETRIED} copy: unexpected EOF": "cannot-pull",
}
# Seen, of logs, secrets and events; errors of GetSecretValue, GetParameters and GetAuthorizationToken as in the API
# references (secretsmanager: InvalidRequestException, "The secret is scheduled for deletion."; DecryptionFailure; ssm:
# InvalidKeyId; ecr: ServerException, "These errors are usually caused by a server-side issue.").
ANSWERED = {
    # in the comments of a public task definition; the newer agent says a connection issue before it (civiform 7648)
    "ResourceInitializationError: failed to validate logger args: : signal: killed": NET,
    # public Terraform and notes, which say of it: a NAT gateway is missing, or the way out in the security group
    "ResourceInitializationError: unable to pull secrets or registry auth: pull command failed: : signal: killed": NET,
    # moby 42088, docker/for-linux 1508
    "ResourceInitializationError: failed to initialize logging driver: failed to create Cloudwatch log stream: "
    "operation error CloudWatch Logs: CreateLogStream, exceeded maximum number of attempts, 3, https response error "
    "StatusCode: 400, RequestID: f9a0216c, api error ThrottlingException: Rate exceeded": "throttled",
    f"{SSM} ThrottlingException: Rate exceeded": "throttled",
    # kubernetes-external-secrets 114 has the sentence
    f"{ASM} InvalidRequestException: You can't perform this operation on the secret because it was marked for "
    "deletion.": "secret-not-found",
    f"{ASM} InvalidRequestException": "secret-not-found",
    f"{ASM} DecryptionFailure: Secrets Manager can't decrypt the protected secret text using the provided KMS "
    "key.": "secret-not-readable",
    f"{SSM} InvalidKeyId: The query key ID isn't valid.": "secret-not-readable",
    f"{FETCH} unable to retrieve ecr registry auth: service call has been retried 3 time(s): ServerException": (
        "platform-error"
    ),
    # EC2's words: terraform 17426, toil 2385
    "(service s) failed to launch a task with (error The subnet ID 'subnet-1' does not exist).": "network-interface",
    "(service s) failed to launch a task with (error The security group 'sg-1' does not exist).": "network-interface",
    "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
    "'subnet-1': InvalidGroup.NotFound": "network-interface",
    "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
    "'subnet-1': InvalidSubnetID.NotFound": "network-interface",
    # ECS's sentence: aws/copilot-cli's tests of failure events, and ufo's page "Debugging Failed to Register Targets"
    "(service s) failed to register targets in (target-group arn:aws:elasticloadbalancing:us-east-2:123456789012:"
    "targetgroup/s/1) with (error Target groups 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/s/1' "
    "not found)": "target-missing",
    "(service s) failed to register targets in (target-group arn:aws:elasticloadbalancing:us-east-2:123456789012:"
    "targetgroup/s/1) with (error Target group not found)": "target-missing",
    "(service s) failed to register targets in (target-group arn:aws:elasticloadbalancing:us-west-2:111111111111:"
    "targetgroup/s/1) with (error The following targets are not in the target group VPC 'vpc-1': '10.0.0.7')": (
        "target-group-mismatch"
    ),
}
# EC2's answers behind what ECS attempted: Amazon EC2 API Reference, "Error codes". Seen behind ECS's words:
# TagPolicyViolation and InsufficientFreeAddressesInSubnet (above), AuthFailure (in what others' code retries).
IN_SUBNET = "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1'"
WITH_ADDRESS = (
    "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet "
    "'subnet-1'"
)
EC2_CODES = {
    "InsufficientFreeAddressesInSubnet": "no-addresses",
    "NetworkInterfaceLimitExceeded": "quota",
    "SecurityGroupsPerInterfaceLimitExceeded": "quota",
    "PrivateIpAddressLimitExceeded": "quota",
    "RequestLimitExceeded": "throttled",
    "UnauthorizedOperation": "network-interface",
    "OperationNotPermitted": "network-interface",
    "TagPolicyViolation": "network-interface",
    "AuthFailure": "network-interface",
    "InvalidParameterCombination": "network-interface",
    "InternalError": "network-interface",
    "Blocked": "account-blocked",
    "PendingVerification": "account-blocked",
}
ATTACHING = "Unexpected EC2 error while attempting to attach network interface to instance"
EXPLAINED = f"{WITH_ADDRESS}: Client.{{}}: You may not do this, or not now. Context deadline exceeded"
FROM_EC2 = {
    form.format(ec2): code
    for form in (f"{IN_SUBNET}: {{}}", f"{WITH_ADDRESS}: {{}}", f"{ATTACHING}: {{}}", EXPLAINED)
    for ec2, code in EC2_CODES.items()
}
# A network interface that cannot be set up, in whatever words: the task does not reach anything yet.
NO_INTERFACE = {
    f"ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin failed{why}": (
        "network-interface"
    )
    for why in (
        " with no error message: context deadline exceeded",
        ': "error": dial tcp 169.254.169.254:80: i/o timeout',
        ": request canceled",
    )
}
# Seen: copilot-cli 2685; an event in a support case (madar-stage-app-service); the same of pods, in
# eks-reference-architecture 12; dask-cloudprovider 56, of RunTask. Others in AWS's general forms.
OF_THE_ACCOUNT = {
    f"{PLACE}. Reason: You've reached the limit on the number of spot tasks you can run concurrently. For more "
    "information, see the Troubleshooting section of the Amazon ECS Developer Guide.": "quota",
    f"{PLACE}. Reason: You've reached the limit on the number of Spot vCPUs you can run concurrently.": "quota",
    f"{PLACE} because your account is currently blocked.": "account-blocked",
    f"{PLACE}. Reason: Your AWS account is currently blocked and thus cannot launch any Fargate tasks.": (
        "account-blocked"
    ),
    f"{PLACE}. Reason: Your account is currently being verified. Please try again later": "account-blocked",
    f"{PLACE}. Reason: Request limit exceeded. (ErrorCode: RequestLimitExceeded)": "throttled",
    "(service s) failed to register targets in (target-group x) with (error rate exceeded)": "throttled",
    # Go's url.Error, of a connection that somebody closes
    f'{SSM} Post "https://ssm.us-east-1.amazonaws.com/": EOF': NET,
}
# amazon-ecs-agent and containerd (oci.WithUser); net-modernization 13 has the second
NO_CONTAINER = {
    "CannotStartContainerError: ResourceInitializationError: unable to create new container: mount callback failed on "
    "/tmp/containerd-mount2190: no users found: not found": "cannot-start",
    "CannotStartContainerError: ResourceInitializationError: unable to create new container: mount callback failed on "
    "/tmp/containerd-mount916692511: open /tmp/containerd-mount916692511/etc/passwd: no such file or directory": (
        "cannot-start"
    ),
    "ResourceInitializationError: unable to create new container: mount callback failed on /tmp/x: no users found": (
        "cannot-start"
    ),
    "CannotCreateContainerError: Error response from daemon: No such image: foo": "cannot-start",
    "CannotStartContainerError: Error response from daemon: failed to create shim task: OCI runtime create failed: "
    "container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: setenv: "
    "invalid argument: unknown": "cannot-start",
    "ResourceInitializationError: failed to create new container runtime task: failed to create shim task: OCI runtime "
    'create failed: runc create failed: unable to start container process: exec: "streamlit": executable file not '
    "found in $PATH: unknown": "command-not-found",
}
EVERY = {**PULL, **RESOURCES, **STOPPED, **EVENTS, **SEEN, **UNPACKED, **ANSWERED}
EVERY |= {**FROM_EC2, **NO_INTERFACE, **OF_THE_ACCOUNT, **NO_CONTAINER}
# They tell that it does not work, and not why.
SILENT = (
    "service (s) has reached a steady state.",
    "(service s) is unable to consistently start tasks successfully.",
    "service (s) deployment failed: tasks failed to start.",
)


@pytest.mark.parametrize("text", EVERY, ids=lambda text: text[-60:])
def test_each_message_of_the_guide_has_its_cause(text: str) -> None:
    assert codes_of(text)[:1] == (EVERY[text],)


@pytest.mark.parametrize("text", EVERY, ids=lambda text: text[-60:])
@pytest.mark.parametrize("as_event", [False, True], ids=["stop reason", "event"])
def test_and_a_remedy_that_is_an_action(text: str, as_event: bool) -> None:
    """Whether it comes as the reason of a task or as an event; health and exits need more than words."""
    expected = EVERY[text]
    seen = evidence(events=(text,)) if as_event else evidence(not_started(text))
    causes = diagnose(seen)
    assert causes[0].code == {ELB: "unknown", EXITED: "exits"}.get(
        expected, OVER_TO.get(expected, expected)
    ), causes
    assert re.search(r"inv |aws |wait", causes[0].remedy)
    assert all(cause.code in CODES and cause.message.endswith(".") for cause in causes)
    assert not any(".." in cause.message or ": ." in cause.message for cause in causes)


NOTHING = (": unknown", ": <nil>", ": null", ': ""', " caused: <nil>")


@pytest.mark.parametrize("text", EVERY, ids=lambda text: text[-60:])
@pytest.mark.parametrize("nothing", NOTHING)
def test_what_engines_write_for_nothing_is_in_no_sentence(text: str, nothing: str) -> None:
    """containerd ends its errors with a gRPC status, as in "no space left on device: unknown" (the guide)."""
    for cause in diagnose(evidence(not_started(f"{text.removesuffix('.')}{nothing}"))):
        assert not re.search(r"\bunknown\b|<nil>|\bnull\b|\"\"", f"{cause.message} {cause.remedy}"), cause


@pytest.mark.parametrize("text", UNPACKED, ids=lambda text: text[-60:])
def test_an_image_that_was_reached_is_not_said_to_be_out_of_reach(text: str) -> None:
    for cause in diagnose(evidence(not_started(text))):
        assert "cannot reach" not in cause.message
        assert "network" not in cause.remedy


def saying(part: str) -> Cause:
    """The one cause of the text above with this part."""
    [text] = [each for each in EVERY if part in each] if part not in EVERY else [part]
    is_event = text.startswith(("(service", "service "))
    [cause] = diagnose(evidence(events=(text,)) if is_event else evidence(not_started(text)))
    return cause


@pytest.mark.parametrize(
    ("part", "message", "remedy"),
    [
        (
            "mismatched image",
            "cannot be pulled: failed to unpack image on snapshotter",
            "inv push-image --tag",
        ),
        ("Lchown", "a file in the image has an owner whose number is too high", "chown"),
        ("diffIDs", "number of layers and diffIDs don't match: 3 != 15", "one compression"),
        ("invalid reference", "The image cannot be pulled: invalid reference format.", "inv validate-"),
        ("error=", "a layer could not be written, most often because the task's disk of 20 GiB", "ephemeral"),
        (
            "marked for deletion",
            "The secret behind OPENAI_API_KEY is scheduled for deletion",
            "restore-secret",
        ),
        ("DecryptionFailure", "OPENAI_API_KEY cannot be decrypted: its KMS key", "aws kms describe-key"),
        ("InvalidKeyId", "NCBI cannot be decrypted: its KMS key", "aws kms describe-key"),
        (
            "authentication required",
            "is not allowed to pull the image (authentication required)",
            "inv create-iam",
        ),
        ("subnet ID 'subnet-1'", "The subnet ID 'subnet-1' does not exist", "network.subnets"),
        ("security group 'sg-1'", "The security group 'sg-1' does not exist", "inv create-security-groups"),
        (
            "InvalidGroup.NotFound",
            "the task's network interface: Unexpected EC2 error while attempting to Create Network Interface with "
            "public IP assignment enabled in subnet 'subnet-1': InvalidGroup.NotFound.",
            "inv create-security-groups",
        ),
        ("InvalidSubnetID.NotFound", "subnet 'subnet-1': InvalidSubnetID.NotFound.", "network.subnets"),
        ("Target group not found", "The target group is gone", "inv setup-fargate"),
        (
            "not in the target group VPC",
            "The target group does not accept the tasks: The following targets are not in the target group VPC "
            "'vpc-1': '10.0.0.7'.",
            "network.subnets",
        ),
        ("args: : signal", "cannot reach CloudWatch Logs", "network.public"),
        (
            "number of spot tasks",
            "The account's Fargate Spot quota is used up: You've reached the limit on the number of spot tasks you can "
            "run concurrently.",
            "--service-code fargate --quota-code L-36FBB829",
        ),
        ("number of Spot vCPUs", "Fargate Spot quota", "L-36FBB829"),
        ("number of vCPUs", "The account's Fargate quota", "--service-code fargate --quota-code L-3032A538"),
        (f"{IN_SUBNET}: NetworkInterfaceLimitExceeded", "network interface quota", "L-DF5E4CA3"),
        (
            f"{WITH_ADDRESS}: SecurityGroupsPerInterfaceLimitExceeded",
            "A quota of the account",
            "list-service-quotas",
        ),
        (f"{WITH_ADDRESS}: UnauthorizedOperation", "UnauthorizedOperation.", "AWSServiceRoleForECS"),
        (f"{WITH_ADDRESS}: AuthFailure", "AuthFailure.", "wait: ECS tries again"),
        (f"{WITH_ADDRESS}: Blocked", "lets this account start no tasks", "open a support case"),
        (
            "because your account is",
            "AWS lets this account start no tasks: your account is currently blocked.",
            "open a support case",
        ),
        (
            "cannot launch any Fargate",
            "account is currently blocked and thus cannot launch",
            "open a support case",
        ),
        ("RequestLimitExceeded)", "again later: Request limit exceeded. (ErrorCode", "wait"),
        ("rate exceeded", "again later: rate exceeded.", "wait"),
        (": EOF", "The task cannot reach Systems Manager", "network.public"),
        ("mount2190", "cannot be started: no users found: not found.", "correct USER in the Dockerfile"),
        ("mount916692511", "/etc/passwd: no such file or directory.", "correct USER in the Dockerfile"),
        ("No such image", "cannot be started: No such image: foo.", "correct CMD, USER and WORKDIR"),
        ("setenv", "cannot be started: setenv: invalid argument.", "correct CMD, USER and WORKDIR"),
    ],
)
def test_the_next_step_is_that_of_the_text(part: str, message: str, remedy: str) -> None:
    cause = saying(part)
    assert message in cause.message
    assert remedy in cause.remedy


@pytest.mark.parametrize(
    ("part", "heals"),
    [
        ("args: : signal", True),
        ("CreateLogStream, exceeded", True),
        ("ssm: service call has been retried 5 time(s): Throttling", True),
        ("ServerException", True),
        ("mismatched image", True),
        ("subnet ID 'subnet-1'", False),
        ("Target group not found", False),
    ],
)
def test_whether_another_try_may_help(part: str, heals: bool) -> None:
    assert saying(part).heals is heals


def test_a_media_type_is_named_where_it_is_told() -> None:
    [text] = [each for each in SEEN if "vnd.in-toto" in each]
    [cause] = diagnose(evidence(not_started(text)))
    assert "of the media type application/vnd.in-toto+json." in cause.message
    [cause] = diagnose(
        evidence(not_started("CannotPullContainerError: no processor for media-type: unknown"))
    )
    assert cause.message == "Fargate does not support a layer of the image."


@pytest.mark.parametrize("sign", SIGNS_OF_A_NETWORK)
def test_what_the_guide_calls_a_network_issue_is_one(sign: str) -> None:
    assert codes_of(f"ResourceInitializationError: unable to pull secrets or registry auth: {sign}")[:1] == (
        NET,
    )


@pytest.mark.parametrize("text", SILENT)
def test_a_message_without_a_reason_is_no_cause(text: str) -> None:
    assert codes_of(text) == ()


@pytest.mark.parametrize("text", [each for each in EVERY if "'" in each or "’" in each])
@pytest.mark.parametrize("sign", ["'", "’", "‘"])
def test_whichever_apostrophe_aws_writes(text: str, sign: str) -> None:
    written = re.sub(r"(?<=\w)['’](?=\w)", sign, text)
    assert codes_of(written) == codes_of(text)


# What has no code is repeated: in the general forms of ECS's events, and as a stop reason.
UNHEARD_OF = {
    "(service s) was unable to place a task. Reason: No Capacity Provider strategy.": "No Capacity Provider strategy",
    "service s was unable to place a task. Reason: A new one; see x. For more information, see the Troubleshooting "
    "section of the Amazon ECS Developer Guide.": "A new one; see x",
    "(service s) was unable to place a task. Reason: ECS’s new reason: of two parts.": "ECS's new reason: of two parts",
    "(service s) failed to launch a task with (error No Fargate configuration exists for given values: 256 CPU, 8192 "
    "memory.)": "No Fargate configuration exists for given values: 256 CPU, 8192 memory",
    "(service s) failed to launch a task with (error TaskDefinition is inactive).": "TaskDefinition is inactive",
    "service (s) was unable to start a task with (error A new one (of x)).": "A new one (of x)",
    "(service s) was unable to place a task because no capacity is available in capacity provider FARGATE_SPOT": (
        "no capacity is available in capacity provider FARGATE_SPOT"
    ),
    "(service s) (deployment ecs-svc/2) deployment failed: alarm detected.": "alarm detected",
    "(service s) (task t) is unhealthy in (target-group g) due to (reason A new one).": "A new one",
}
STOPS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve ecr registry auth: service call has been retried 1 time(s): UnrecognizedClientException: The security "
    "token included in the request is invalid",
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve secret from asm: service call has been retried 1 time(s): LimitExceededException: KMS",
    "Fargate platform version 1.3.0 is no longer supported",
    "Service Connect: the proxy is unhealthy",
)


@pytest.mark.parametrize("text", UNHEARD_OF, ids=lambda text: text[-60:])
def test_a_reason_of_an_event_that_nobody_knows_is_repeated(text: str) -> None:
    [cause] = diagnose(
        evidence(events=("(service s) is unable to consistently start tasks successfully.", text))
    )
    assert (cause.code, cause.message) == ("unknown", f"The deployment failed. AWS says: {UNHEARD_OF[text]}.")
    assert cause.remedy.startswith("fix what AWS says")
    assert "inv deploy --tag 4f2c1e9" in cause.remedy


@pytest.mark.parametrize("text", STOPS, ids=lambda text: text[-60:])
def test_a_stop_reason_that_nobody_knows_is_repeated_to_its_end(text: str) -> None:
    [cause] = diagnose(evidence(not_started(text)))
    assert cause.code == "unknown"
    assert cause.message.startswith("The deployment failed. AWS says: ")
    assert cause.message.endswith(f"{text[-40:]}.")


def test_what_is_repeated_shows_no_secret() -> None:
    event = "(service s) was unable to place a task. Reason: no key sk-proj-abcdefghijklmnopqrst."
    [cause] = diagnose(evidence(events=(event,)))
    assert "abcdefghij" not in f"{cause}"


@pytest.mark.parametrize("text", SILENT)
def test_where_aws_says_nothing_that_is_said(text: str) -> None:
    [cause] = diagnose(evidence(events=(text,)))
    assert cause.message == "AWS gives no information about the cause. The deployment failed."


# What others write

REGISTRY = "123456789012.dkr.ecr.us-east-2.amazonaws.com"
PULLING = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"
NAMED = (
    "(service {0}) was unable to place a task because no container instance met all of its requirements.",
    "(service {0}) (task {0}) failed container health checks.",
    "(service {0}) has reached a steady state.",
    "(service {0}, taskSet ecs-svc/1) has begun draining connections on 1 tasks.",
    "service ({0}) operations are being throttled. Will try again later.",
    "(service {0}) (port 80) is unhealthy in (target-group arn:aws:elasticloadbalancing:us-east-2:123456789012:"
    "targetgroup/{0}/1) due to (reason Health checks failed).",
    PULLING + " " + REGISTRY + "/{0}:{0}: " + REGISTRY + "/{0}:{0}: not found",
    PULLING + " docker.io/library/{0}:latest: failed to do request: dial tcp 3.5.1.2:443: i/o timeout",
    "CannotPullContainerError: Error response from daemon: manifest for {0}:latest not found: manifest unknown",
    "ResourceInitializationError: unable to retrieve secret from asm: failed to fetch secret arn:aws:secretsmanager:"
    "us-east-2:123456789012:secret:{0}-AbCdEf: ResourceNotFoundException: can't find the specified secret.",
    "ResourceInitializationError: unable to retrieve secrets from ssm: invalid parameters: /app/{0}",
    "ResourceInitializationError: retrieved secret from Secrets Manager did not contain json key {0}",
    "ResourceInitializationError: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/{0}/s is not "
    "authorized to perform: ecr:GetAuthorizationToken on resource: *",
    'CannotStartContainerError: failed to create shim: exec: "{0}": executable file not found in $PATH',
    "CannotStartContainerError: failed to create shim: exec: /app/{0}: no such file or directory",
)
# As far as they can be a name, and what AWS itself calls things.
WORDS = sorted(
    {word for text in EVERY for word in re.findall(r"[A-Za-z][\w-]{3,60}", text)}
    | {
        *CODES,
        "quota",
        "quotas-exceeded",
        "toomanyrequests",
        "OutOfMemoryError",
        "env-files",
        "AGENT",
        "RESOURCE",
    }
)


@pytest.mark.parametrize("text", EVERY, ids=lambda text: text[-60:])
def test_a_reason_that_somebody_gives_is_no_word_of_awss(text: str) -> None:
    """StopTask takes any text, and ECS shows it as the reason."""
    for said in (text, f"Stopped for a test of: {text}"):
        assert codes_of(said, "UserInitiated") == ("stopped-by-user",)
        [cause] = diagnose(evidence(stopped("a", said, stop_code="UserInitiated")))
        assert cause.code == "stopped-by-user"


@pytest.mark.parametrize("sentence", NAMED)
def test_a_name_that_somebody_chose_is_no_word_of_awss(sentence: str) -> None:
    plain = codes_of(sentence.format("homara"))
    assert [word for word in WORDS if codes_of(sentence.format(word)) != plain] == []


def test_a_task_that_somebody_stopped_has_not_been_replaced() -> None:
    said = "Scaling activity initiated by me"
    assert stopped("a", said, stop_code="UserInitiated").failed
    assert not stopped("a", said, stop_code="ServiceSchedulerInitiated").failed


@pytest.mark.parametrize(
    "answer", ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"]
)
def test_a_registry_that_fails_itself_does_not_lack_the_image(answer: str) -> None:
    text = f"{PULLING} {IMAGE}: unexpected status from HEAD request to https://{REGISTRY}/v2/homara: {answer}"
    [cause] = diagnose(evidence(not_started(text)))
    assert (cause.code, cause.heals) == ("platform-error", True)
    assert cause.message == f"The registry has an error: it answers {answer}."


def test_a_registry_that_does_not_know_who_asks_does_not_lack_the_image() -> None:
    text = f"{PULLING} {IMAGE}: unexpected status from HEAD request to https://{REGISTRY}/v2/homara: 401 Unauthorized"
    assert codes_of(text) == ("registry-denied",)


def test_a_reference_that_cannot_be_resolved_for_another_reason_is_not_said_to_be_missing() -> None:
    assert codes_of(f"{PULLING} {IMAGE}: unexpected EOF")[:1] != ("image-not-found",)


@pytest.mark.parametrize(
    ("code", "stop_code"),
    [
        ("spot-interrupted", "SpotInterruption"),
        ("platform-error", "InfrastructureHealth"),
        (EXITED, "EssentialContainerExited"),
    ],
)
def test_a_stop_code_tells_where_no_word_does(code: str, stop_code: str) -> None:
    assert codes_of("", stop_code) == (code,)


def test_the_size_of_the_disk_is_the_definitions() -> None:
    text = "CannotPullContainerError: write /x: no space left on device"
    [plain] = diagnose(evidence(not_started(text)))
    [larger] = diagnose(
        evidence(not_started(text), definition={**definition(), "ephemeralStorage": {"sizeInGiB": 30}})
    )
    assert "disk of 20 GiB" in plain.message
    assert "disk of 30 GiB" in larger.message
    assert not plain.heals
