"""AWS App Runner: services that run their image as real processes behind an address of their own."""
