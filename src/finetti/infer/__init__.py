"""Inference: sampling, predictions, log likelihoods."""
