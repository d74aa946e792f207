"""Runs tasks as containers of docker or podman, by their command lines.

The command line is the one interface that both engines have, and it knows contexts, DOCKER_HOST, sockets and virtual
machines. A task is a pod: one container of ours (``pod``) holds the network, with the published ports and the endpoint
for tasks, and the task's containers join it.
"""
