"""What puts bytes on the wire."""
