"""HTTP between a client and a program: the listening port, connections to programs, and forwarded traffic."""
