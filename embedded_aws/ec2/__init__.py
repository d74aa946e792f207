"""Amazon EC2: networks, security groups and routes, and which traffic they allow."""
