"""The APIs clients speak, one file each."""
