"""Forms of a message: one file each, its name is the ``format`` of a webhook."""
