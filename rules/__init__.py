"""What the detector knows, as data; README.md teaches the format."""
