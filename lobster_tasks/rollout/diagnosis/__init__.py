"""Finds out why a release is not live: collects evidence and explains it by one of the known causes."""
