"""What the documentation draws from the code itself: the reference of the configuration, and the graph of the rules.

`make docs` writes both anew; a test holds what is in the repository equal to what this would write.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import yaml

DOCS = Path(__file__).parent
PROJECT = DOCS.parent
SCHEMA = PROJECT / "workflow" / "schemas" / "config.schema.yaml"
EXPERIMENTS = ["three_structures", "peers", "real_fields"]  # together they have every rule

BEGINNING = """\
# Configuration

A configuration is a YAML file, given by `--configfile`; what it leaves out has the default below. It is laid over
`config.yaml`, the demo, so that `splits`, `train` and their like may be given in part. Mistakes are told together, a
sentence each, before anything runs. This page is generated from `workflow/schemas/config.schema.yaml`.

## The experiment

"""
TYPES = {
    "boolean": "true or false",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "array": "list",
    "object": "keys and values",
}
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "{} or more",
    "maxItems": "{} or fewer",
    "minProperties": "{} or more",
}


def configuration_page(schema: Mapping[str, Any]) -> str:
    """The reference: a table of the keys that stand alone, and one of each section."""
    keys = schema["properties"]
    sections = {name: key for name, key in keys.items() if "properties" in key}
    parts = [BEGINNING, table({name: key for name, key in keys.items() if name not in sections}, schema["required"])]
    for name, key in sections.items():
        parts.append(f"\n## `{name}`\n\n{meaning(key)}\n\n{table(key['properties'])}")
        if name == "train":
            further = keys["models"]["additionalProperties"]["properties"]
            own = {name: key for name, key in further.items() if name not in sections["train"]["properties"]}
            text = "Each of `models` may have any key of `train`, or these instead:"
            parts.append(f"\n## A model of `models`\n\n{text}\n\n{table(own)}")
    return "".join(parts)


def table(keys: Mapping[str, Any], required: list[str] | tuple = ()) -> str:
    """A row per key: type, default, limits, meaning."""
    rows = ["| key | type | default | limits | meaning |", "|---|---|---|---|---|"]
    for name, key in keys.items():
        default = f"`{json.dumps(key['default'])}`" if "default" in key else "needed" if name in required else ""
        cells = [f"`{name}`", kind(key), default, ", ".join(limits(key)), meaning(key)]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def meaning(key: Mapping[str, Any]) -> str:
    """The explanation, in which nothing is taken for markup."""
    return " ".join(key["description"].split()).replace("<", "\\<")


def kind(key: Mapping[str, Any]) -> str:
    """The type in words."""
    if "enum" in key:
        return "one of " + ", ".join(f"`{value}`" for value in key["enum"])
    types = key["type"] if isinstance(key["type"], list) else [key["type"]]
    words = " or ".join("empty" if name == "null" else TYPES[name] for name in types)
    if "array" in types:
        words = words.replace("list", f"list of {kind(key['items'])}s" if "type" in key["items"] else "list")
    values = key.get("additionalProperties")
    return f"{words}, each {kind(values)}" if isinstance(values, Mapping) and "enum" in values else words


def limits(key: Mapping[str, Any]) -> Iterator[str]:
    """What a value must keep to, in words."""
    exact = "minItems" in key and key["minItems"] == key.get("maxItems")
    told = {name: words for name, words in LIMITS.items() if name in key and not (exact and name.endswith("Items"))}
    yield from (words.format(key[name]) for name, words in told.items())
    if exact:
        yield f"exactly {key['minItems']}"
    if key.get("uniqueItems"):
        yield "none twice"
    if "pattern" in key:
        yield f"like `{key['pattern'].removesuffix('(?!' + chr(10) + ')')}`"
    if "not" in key:
        yield "not " + ", ".join(f"`{value}`" for value in key["not"].get("enum", [key["not"].get("const")]))
    for inner, words in (("items", "each {}"), ("propertyNames", "names {}")):
        if inner in key and (found := list(limits(key[inner]))):
            yield words.format(", ".join(found))


def rule_graph() -> nx.DiGraph:
    """Which rule's files which rule needs, asked of Snakemake; what follows from the rest is left out."""
    graph = nx.DiGraph()
    for experiment in EXPERIMENTS:
        command = [sys.executable, "-m", "snakemake", "all", "package", "--rulegraph", "--forceall", "--quiet", "all"]
        configuration = ["--configfile", f"resources/experiments/{experiment}.yaml"]
        done = subprocess.run([*command, *configuration], cwd=PROJECT, capture_output=True, text=True, check=True)
        names = dict(re.findall(r'(\d+)\[label = "(\w+)"', done.stdout))
        edges = ((names[a], names[b]) for a, b in re.findall(r"(\d+) -> (\d+)", done.stdout))
        graph.add_edges_from((a, b) for a, b in edges if a != b)  # a training may start from another one
    return nx.transitive_reduction(graph)


ROW_PX, GAP_PX, HEIGHT_PX, CHARACTER_PX = 62, 18, 26, 7.4


def drawn(graph: nx.DiGraph) -> str:
    """The graph as SVG, from top to bottom: a row per step, and places in it that keep lines short."""
    depth = {node: row for row, nodes in enumerate(nx.topological_generations(graph)) for node in sorted(nodes)}
    paths = {(a, b): [a, *(f"{a}>{b}>{k}" for k in range(depth[a] + 1, depth[b])), b] for a, b in sorted(graph.edges)}
    rows: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    steps = nx.DiGraph(step for path in paths.values() for step in pairwise(path))
    for path in paths.values():
        for row, node in enumerate(path, depth[path[0]]):
            if node not in rows[row]:
                rows[row].append(node)
    for sweep in range(24):  # each row in the order of its neighbours in the row before, downwards and upwards in turn
        place = {node: (k + 1) / (len(row) + 1) for row in rows for k, node in enumerate(row)}
        near = steps.predecessors if sweep % 2 == 0 else steps.successors
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            row.sort(key=lambda node: (mean([place[k] for k in near(node)], place[node]), node))
            place |= {node: (k + 1) / (len(row) + 1) for k, node in enumerate(row)}
    widths = {node: CHARACTER_PX * len(node) + 20 if node in depth else 10 for row in rows for node in row}
    whole = max(sum(widths[node] + GAP_PX for node in row) for row in rows)
    at = {}
    for level, row in enumerate(rows):
        spare = (whole - sum(widths[node] for node in row)) / len(row)
        x = spare / 2
        for node in row:
            at[node] = (x + widths[node] / 2, level * ROW_PX + HEIGHT_PX)
            x += widths[node] + spare
    lines = [curve([at[node] for node in path]) for path in paths.values()]
    boxes = [box(node, *at[node], widths[node]) for node in depth]
    size = f"{whole:.0f} {len(rows) * ROW_PX}"
    style = "text{font:13px sans-serif;text-anchor:middle}path{fill:none;stroke:#999}rect{fill:#e8f0fa;stroke:#4a78b0}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}"><style>{style}</style>'
    ground = '<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>'
    return "\n".join([head, ground, *lines, *boxes, "</svg>\n"])


def mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def curve(points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    text = f"M{x:.0f} {y + HEIGHT_PX / 2:.0f}"
    for (a, b), (c, d) in zip(points, rest, strict=False):
        b, d = b + HEIGHT_PX / 2, d - HEIGHT_PX / 2
        text += f"L{a:.0f} {b:.0f}C{a:.0f} {(b + d) / 2:.0f} {c:.0f} {(b + d) / 2:.0f} {c:.0f} {d:.0f}"
    return f'<path d="{text}"/>'


def box(name: str, x: float, y: float, width: float) -> str:
    corner = f'x="{x - width / 2:.0f}" y="{y - HEIGHT_PX / 2:.0f}" width="{width:.0f}" height="{HEIGHT_PX}" rx="5"'
    return f'<rect {corner}/><text x="{x:.0f}" y="{y + 4:.0f}">{name}</text>'


if __name__ == "__main__":
    (DOCS / "configuration.md").write_text(configuration_page(yaml.safe_load(SCHEMA.read_text())), encoding="utf-8")
    (DOCS / "rules.svg").write_text(drawn(rule_graph()), encoding="utf-8")
