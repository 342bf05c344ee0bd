"""Presence minus permission: what opens a volume to whom, and by how much it was exceeded."""
