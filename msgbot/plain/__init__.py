"""Values as plain data: what the command line prints for programs and what the HTTP API answers. The shapes are typed, and the
API's documentation is made from them."""
