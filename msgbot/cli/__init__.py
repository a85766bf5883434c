"""The command line: one file for each group of commands; what they print is made here, what they do is not."""
