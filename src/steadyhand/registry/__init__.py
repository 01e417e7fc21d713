"""The release registry: what shapes an answer, as versions in a Git repository."""
