"""The one port that clients talk to: every request, in the order in which AWS looks at it."""
