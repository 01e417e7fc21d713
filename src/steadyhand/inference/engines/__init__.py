"""What can run a model file: one plugin each, imported only in the model's own process."""
