"""Airspace files to volumes: one format a file, and what they have in common."""
