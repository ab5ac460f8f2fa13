"""Many tensors by name: rules for them, the defaults of other libraries, published architectures. Imports core."""
