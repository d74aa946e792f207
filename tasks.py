"""What ``inv`` loads here, and all that a project of your own needs."""

from lobster_tasks import namespace

ns = namespace()
