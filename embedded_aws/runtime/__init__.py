"""Runs tasks: images, addresses, containers."""
