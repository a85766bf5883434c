"""What the bot says, as data; README.md teaches the format."""
