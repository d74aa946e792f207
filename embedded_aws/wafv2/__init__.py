"""AWS WAF: web ACLs, and the resources that they protect."""
