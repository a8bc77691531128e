"""Graph in, graph out."""
