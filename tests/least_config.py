"""The least configuration that is complete, for tests."""

import yaml

from lusco.settings import SCHEMA

SHIPPED = str(SCHEMA.parents[2] / "resources" / "models" / "five_structures")
LEAST = {"experiment": "demo", "structures": ["pores", "tubes"], "acquisitions": "sheet.tsv", "pixel_nm": 20}


def config(text: str) -> dict:
    """The least configuration with these keys over it."""
    return LEAST | yaml.safe_load(text)
