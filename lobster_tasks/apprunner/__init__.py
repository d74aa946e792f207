"""The way over from App Runner: reading a service, mapping its settings, parity, cut-over, clean-up."""
