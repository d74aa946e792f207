"""Amazon ECS on Fargate: services, deployments and tasks, and the scheduler that moves them.

What ECS knows is in ``model``, by account and region, and guarded by the data plane's lock. Requests change what is
wanted (``clusters``, ``task_definitions``, ``services``, ``service_deployments``, ``tasks``, ``tagging``);
``views`` shows it in AWS's shapes. On every tick, ``reconciler`` takes each service one step further, and
``breaker`` ends deployments. ``lifecycle`` lives one task, as a coroutine: ``agent`` prepares it, as the Fargate
agent does, by what is in the package ``agent``; ``health`` runs its containers' own health checks.

Modelled in AWS seconds: attaching and detaching an interface, pulling by size, registering targets, back-off,
and the minutes until the agent gives up on a service that ``ec2.egress`` finds no way to.
Real: the image, the program, its output, exit code, memory, signals, and whether its target is healthy.

Liberties, each of which a program could notice: ``AWS_ENDPOINT_URL`` is set; the task's metadata and credentials
come from that address. Containers stop all at once, not in reverse order of their dependencies. Users, ulimits
and read-only root file systems are accepted and not enforced; volumes and other log drivers fail the task with
a reason that says so. What is not supported of a service is refused by name. Routes, security groups and
endpoints bind the agent only: a program's own calls go wherever this machine lets them.
"""
