"""Elastic Load Balancing v2: its API, and its data plane: targets, health checks and a reverse proxy."""
