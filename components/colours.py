"""The colours of classes, where pages look for them; see `models.shown`."""

from models.shown import class_colours, palette

__all__ = ["class_colours", "palette"]
