"""Runs tasks as processes: images, addresses, processes."""
