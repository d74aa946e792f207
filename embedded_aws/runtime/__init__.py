"""Where a task becomes a process: images, addresses, processes."""
