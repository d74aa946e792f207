"""AWS WAF: web ACLs, and what they protect."""
