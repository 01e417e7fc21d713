"""The gate: a change is asked the same questions as what it would replace, before it lands."""
