"""Migrates an App Runner service: reads it, maps its settings, compares, cuts over, cleans up."""
