"""Predicted entry: the fan of courses, alerts and their book."""
