"""Amazon EC2: networks, security groups and routes, and what they let through."""
