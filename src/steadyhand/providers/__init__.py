"""Providers: one file each, named for its ``kind``, speaking one wire to one family of hosts."""
