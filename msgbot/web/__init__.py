"""The HTTP service: one visible list of routes, and what stands behind each."""
