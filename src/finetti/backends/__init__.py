"""Graph to callable."""
