"""What the shapes of botocore's models allow."""
