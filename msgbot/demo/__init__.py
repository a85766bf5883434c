"""A sample world and the command that shows msgbot at work on it."""
