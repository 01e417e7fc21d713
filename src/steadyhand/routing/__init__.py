"""Routes and their ladders: which rungs there are, in what order, until when."""
