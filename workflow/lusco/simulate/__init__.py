"""Simulate acquisitions of known structures, localization by localization.

Geometry of the structure -> labelled epitopes -> blinking emitters -> localizations with the precision that
the photons and the background allow. A description in YAML says what to simulate; every range in it is drawn
anew for each acquisition, so that acquisitions differ as cells do.
"""

from lusco.simulate.acquisition import simulate
from lusco.simulate.description import Description, read_description

__all__ = ["Description", "read_description", "simulate"]
