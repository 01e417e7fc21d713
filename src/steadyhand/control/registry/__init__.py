"""REST of the release registry; who may do what is checked by its service."""
