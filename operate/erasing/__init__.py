"""Erase items from every place of the lake, and prove that they are gone."""

from operate.erasing.erasure import OUTPUTS, Choice, Erasure, Outcome

__all__ = ["OUTPUTS", "Choice", "Erasure", "Outcome"]
