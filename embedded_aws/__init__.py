"""AWS on one machine: an API endpoint for clients, and tasks that are real processes, or containers.

Run it with ``python -m embedded_aws``. Clients reach it by URL only: set ``AWS_ENDPOINT_URL``. The library
``lobster_tasks`` and this package never import each other, so that a mistake in one cannot hide one in the other.

Every AWS service is a package: ``api`` handles its requests, ``store`` holds its resources. ``aws`` composes all of
them.
"""
