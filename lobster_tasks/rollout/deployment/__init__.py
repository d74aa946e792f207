"""Makes deployments: checks before any change, changes the service, and concludes with an outcome."""
