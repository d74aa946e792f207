"""The data plane of Elastic Load Balancing: targets, health checks and a reverse proxy."""
