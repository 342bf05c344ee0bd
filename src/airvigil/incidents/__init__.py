"""Spells of all tracks become incidents that a person can follow."""
