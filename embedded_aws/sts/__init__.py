"""AWS STS: the caller's identity, and sessions of roles."""
