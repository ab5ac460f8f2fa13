"""One tensor, from the call to the store. Imports NumPy and itself only."""
