"""Plain types and pure functions that every layer may use; no input or output."""
