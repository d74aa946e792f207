"""Amazon ECR: repositories, images, their layers and lifecycle policies."""
