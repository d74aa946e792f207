"""The one port for clients: passes every request through its handlers, in AWS's order."""
