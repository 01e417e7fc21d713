"""The control plane: REST for people and machines."""
