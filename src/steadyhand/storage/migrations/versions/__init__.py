"""Schema steps, numbered; never edited once released."""
