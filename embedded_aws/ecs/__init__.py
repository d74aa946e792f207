"""Amazon ECS on Fargate: services, deployments and tasks, and their scheduler.

``model`` has ECS's state, by account and region, guarded by the data plane's lock. Requests change the desired state
(``clusters``, ``task_definitions``, ``services``, ``service_deployments``, ``tasks``, ``tagging``); ``views`` shows
the state in AWS's shapes. On every tick, ``reconciler`` moves each service one step towards its desired state, and
``breaker`` ends deployments. ``lifecycle`` runs one task, as a coroutine: ``agent`` prepares it like the Fargate
agent, with the package ``agent``; ``health`` runs its containers' own health checks.

Modelled in AWS seconds: attaching and detaching an interface, pulling by size, registering targets, back-off,
and the minutes until the agent gives up on a service that is unreachable according to ``ec2.egress``.
Real: the image, the program, its output, exit code, memory, signals, and whether its target is healthy.

Differences from AWS that a program could notice: ``AWS_ENDPOINT_URL`` is set; the task's metadata and credentials
come from that address. Containers stop all at once, not in reverse order of their dependencies. Users, ulimits,
shares of a processor and read-only root file systems hold where tasks are containers of an engine; processes accept
and do not enforce them. Layers compressed with zstd run where Python (from 3.14) or the engine reads them;
elsewhere they fail the task with a reason that says so, as volumes and other log drivers do. Unsupported
features of a service are refused by name. Routes, security groups and endpoints affect the agent only: a program's
own connections are not restricted.
"""
