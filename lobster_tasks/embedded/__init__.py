"""AWS on one machine: the control plane that clients talk to, and tasks that are real processes.

Reached by URL only: set ``AWS_ENDPOINT_URL`` and use any client. Nothing here is imported by the rest of the
package, and nothing here imports from it, so that the two cannot agree with themselves.
"""
