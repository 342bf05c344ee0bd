"""Samples and paths become stays."""
