"""AWS on one machine: the control plane that clients talk to, and tasks that are real processes.

Run it with ``python -m embedded_aws``. Reached by URL only: set ``AWS_ENDPOINT_URL`` and use any client. The library
``lobster_tasks`` and this package never import each other, so that the two cannot agree with themselves.

Every AWS service is a package: ``api`` is its wire, ``store`` what it holds. ``aws`` puts all of them together.
"""
