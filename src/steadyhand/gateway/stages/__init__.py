"""The stages of the request path, one file each."""
