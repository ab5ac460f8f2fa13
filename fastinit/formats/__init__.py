"""Weights in files, as bytes: what each format's header says, and the tensors behind it. Imports core."""
