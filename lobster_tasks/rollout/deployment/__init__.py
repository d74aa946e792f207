"""From a tag to a deployment: what is checked before, what is changed, and how it ends."""
