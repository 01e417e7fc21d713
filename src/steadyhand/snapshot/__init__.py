"""The snapshot: everything a gateway needs to answer, compiled, signed, swapped atomically."""
