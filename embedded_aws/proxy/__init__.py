"""HTTP between a client and a program: the listening end, the connections to programs, and what passes."""
