"""What can be seen of a service and of its deployment, and what has become of it; nothing here changes anything."""
