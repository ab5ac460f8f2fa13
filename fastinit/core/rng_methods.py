"""The initializers as methods, which `fastinit.core.calls` adds as they are made; type checkers see them in the .pyi."""

__all__ = ["RngMethods"]


class RngMethods:
    """``rng.normal_(w)`` is ``fastinit.normal_(w, seed=rng)``, and so for every initializer."""
