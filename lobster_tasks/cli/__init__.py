"""The layer between Invoke and the tasks: the command line, the project's files, errors, and progress display."""
