"""The request path, from the wire to the record."""
