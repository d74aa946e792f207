"""Validation against the shapes of botocore's models."""
