"""What msgbot knows and decides: pure functions and frozen values, no clock, no files, no network."""
