"""HTTP/1.1 in both directions: server protocol, upstream client, limits. No LLM words."""
