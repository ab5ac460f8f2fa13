"""What other frameworks do by default: for each kind of layer the rules of weight and bias, and where that is written."""

from .models.presets import PRESETS, Preset

__all__ = ["PRESETS", "Preset"]
