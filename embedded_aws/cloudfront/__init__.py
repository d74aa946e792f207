"""Amazon CloudFront: distributions, VPC origins, and edge locations that serve them."""
