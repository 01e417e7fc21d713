"""Models on this machine: a process each, behind a host that always answers."""
