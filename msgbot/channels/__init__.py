"""Ways in and out for messages: bytes to `Message` and back."""
