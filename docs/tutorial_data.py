"""Small ThunderSTORM tables to follow the tutorial with: three fields of each of two structures, and two mixtures."""

import sys
from pathlib import Path

from lusco.simulate import read_description, simulate
from lusco.table import write_thunderstorm

DESCRIPTION = """
field_um: [5, 5]
structures:
  microtubules: {length_um_per_um2: 3}
  nuclear_pores: {nucleus_distance_um: 0}
"""
FIELDS = {"mt": "microtubules", "npc": "nuclear_pores"}

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
description = folder / "fields.yaml"
description.write_text(DESCRIPTION)
fields = {f"{short}_cell{k}": name for short, name in FIELDS.items() for k in (1, 2, 3)}
for name, structure in {**fields, "mix_cell1": "mixed", "mix_cell2": "mixed"}.items():
    acquisition = simulate(read_description(description), name, structure, seed=1)
    table = acquisition.table.drop(columns=["structure", "unspecific"], errors="ignore")
    write_thunderstorm(table, folder / f"{name}.csv")
    print(f"{folder / name}.csv: {len(table)} localizations")
description.unlink()
