"""What lies between Invoke and the tasks: the command line, the project's files, errors, and how progress is shown."""
