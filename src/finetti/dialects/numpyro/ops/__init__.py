"""`numpyro.ops`: what ArviZ and loops take of it."""
