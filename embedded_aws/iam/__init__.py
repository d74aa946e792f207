"""AWS IAM: roles, policies, and who may do what."""
