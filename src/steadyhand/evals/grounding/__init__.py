"""Whether answers stand in what they were given to stand on: a proxy for hallucination."""
