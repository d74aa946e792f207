"""Reads a service and its deployments, and judges what has become of them; makes no changes."""
