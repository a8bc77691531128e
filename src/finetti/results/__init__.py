"""Draws, their statistics and diagnostics, and the bridge to ArviZ."""
