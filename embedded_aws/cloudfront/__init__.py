"""Amazon CloudFront: distributions, VPC origins, and the edges that serve them."""
