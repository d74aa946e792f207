"""Elastic Load Balancing v2: its API, and its data plane with targets, health checks and a reverse proxy."""
