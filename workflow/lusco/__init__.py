"""LUSCo: recolour single-dye super-resolution images of several structures.

Each stage of the pipeline is a module (or folder) of the same name as its command and its rule.
"""

from importlib.metadata import version

__version__ = version("lusco")
