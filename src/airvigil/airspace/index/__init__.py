"""Where a place is in relation to every volume, fast: edges, cells, leaves, and the kernels that ask them."""
