"""What is wrong with airspace: files, single volumes, neighbours."""
