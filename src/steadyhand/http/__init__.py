"""HTTP/1.1 in both directions: a server protocol, an upstream client, their limits. No LLM words."""
