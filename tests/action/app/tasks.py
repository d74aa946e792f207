"""A project as somebody else has it."""

from lobster_tasks import namespace

ns = namespace()
