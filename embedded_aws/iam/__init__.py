"""AWS IAM: roles, policies, and authorization."""
