"""Who is calling: keys, the tenants they belong to, what they may use."""
