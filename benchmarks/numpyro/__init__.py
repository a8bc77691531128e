"""The NumPyro dialect against NumPyro: one source file, run by both."""
