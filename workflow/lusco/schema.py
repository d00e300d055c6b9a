"""A mapping checked against a JSON schema: a sentence for every fault, and the schema's defaults filled in.

A schema is the only place where a default or an explanation of a setting stands.
"""

import copy
import difflib
import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from lusco.errors import Fault, InputError, raise_all

MAX_DEPTH = 30
MAX_PARTS = 1_000_000
MAX_WHOLE = 10**15
_TOO_LONG = "a whole number of more than 15 digits stands there"

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a list of `key: value`",
    "null": "empty",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    InputError
        If the file is missing, is not YAML, or is not a mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(Fault(path, "the file does not exist", "check the path")) from None
    except OSError as error:
        raise InputError(Fault(path, f"the file cannot be read ({error.strerror})", "check the path")) from None
    except Exception as error:  # besides its own, PyYAML raises whatever dates, numbers and nesting make of themselves
        detail = " ".join(str(error).split())
        raise InputError(Fault(path, f"the file is not YAML ({detail})", "correct it there")) from None
    if not isinstance(content, dict):
        raise InputError(Fault(path, "the file is not a list of `key: value`", "write one key per line"))
    return content


def check(content: dict[str, Any], schema: dict[str, Any], file: str | Path) -> dict[str, Any]:
    """Validate a mapping and fill in the defaults.

    Parameters
    ----------
    content : dict
        As read from YAML or JSON.
    schema : dict
        JSON schema, without references.
    file : str or Path
        Where `content` comes from, for messages.

    Returns
    -------
    dict
        A new mapping in which every key that has a default is present.

    Raises
    ------
    InputError
        With all faults at once.
    """
    raise_all(faults(content, schema, file))
    return _filled(_whole(content, schema), schema)


def faults(content: dict[str, Any], schema: dict[str, Any], file: str | Path) -> Iterator[Fault]:
    """Every fault of a mapping, in the order of their places."""
    # imported here: it costs 0.1 s, which jobs without settings need not pay
    from jsonschema import Draft202012Validator

    check_size(content, file)
    endless = dict(_not_usable(content))
    for place, what in endless.items():
        yield Fault(file, what, _meaning(schema, place), _where(place))
    if _TOO_LONG in endless.values():
        return  # Python refuses to write out a number of thousands of digits, as what follows may want to
    errors = Draft202012Validator(schema).iter_errors(content)
    for error in sorted(errors, key=lambda error: list(map(str, error.absolute_path))):
        place = tuple(error.absolute_path)
        if place not in endless:
            yield from _sentences(error, schema, file, _where(place))


def _sentences(error: Any, schema: dict[str, Any], file: str | Path, where: str) -> Iterator[Fault]:
    found, rule = error.instance, error.validator_value
    shown = "`" + (found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, default=str)) + "`"
    mend = _meaning(schema, error.absolute_path)
    match error.validator:
        case "additionalProperties":
            for key in sorted(set(found) - set(error.schema.get("properties", {})), key=str):
                yield Fault(file, f"unknown key `{key}`", _known_key(str(key), error.schema), where)
        case "required":
            missing = [key for key in rule if key not in found]
            if error.message.split("'")[1] == missing[0]:  # one error per missing key comes; name all in the first
                yield Fault(file, f"missing {', '.join(f'`{key}`' for key in missing)}", "add it", where)
        case "type":
            kinds = " or ".join(_KINDS[kind] for kind in ([rule] if isinstance(rule, str) else rule))
            what = f"{'nothing' if found is None else shown} stands where {kinds} should"
            number = _number(found) if "number" in rule or "integer" in rule else None
            yield Fault(file, what, f"write {number}" if number else mend, where)
        case "enum":
            yield Fault(file, f"{shown} is not one of {', '.join(map(str, rule))}", mend, where)
        case "pattern":
            yield Fault(file, f"{shown} is not usable as a name", "use letters, digits, `_` and `-` only", where)
        case "not":
            yield Fault(file, f"the name {shown} is reserved", "choose another", where)
        case "uniqueItems":
            yield Fault(file, f"{shown} names something twice", "keep one of them", where)
        case "minItems" | "maxItems":
            least, most = error.schema.get("minItems"), error.schema.get("maxItems")
            wanted = f"{least}" if least == most else f"at least {least}" if len(found) < rule else f"at most {most}"
            have = f"{len(found)} item{'' if len(found) == 1 else 's'}"
            yield Fault(file, f"{shown} has {have} instead of {wanted}", mend, where)
        case bound if bound in _BOUNDS:
            yield Fault(file, f"{shown} should be {_BOUNDS[bound]} {rule}", mend, where)
        case "minProperties":
            yield Fault(file, "it is empty", f"name at least {rule}; {mend}", where)
        case _:
            yield Fault(file, error.message, mend, where)


def _known_key(key: str, schema: dict[str, Any]) -> str:
    known = schema.get("properties", {})
    if homes := [name for name, rule in known.items() if key in rule.get("properties", {})]:
        return f"it belongs under `{homes[0]}`"
    if close := difflib.get_close_matches(key, known, 1):
        return f"did you mean `{close[0]}`"
    return f"known keys are {', '.join(known)}"


def _meaning(schema: dict[str, Any], place: Iterable[str | int]) -> str:
    """The explanation of the value at `place`, or of the nearest value around it that has one."""
    description = schema.get("description", "")
    for step in place:
        inner = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        schema = inner or schema.get("additionalProperties") or {}
        description = schema.get("description", description)
    return f"it means: {description.rstrip('.')}" if description else "see workflow/schemas"


def check_size(content: Any, file: str | Path) -> None:
    """Refuse nested lists and mappings of no end.

    A few lines of YAML can name a list of lists of lists of the same, or one that holds itself.

    Parameters
    ----------
    content : object
        As read from YAML or JSON.
    file : str or Path
        Where it comes from, for messages.

    Raises
    ------
    InputError
        If there are more than `MAX_DEPTH` levels or more than `MAX_PARTS` parts, or a key is a date or a huge number.
    """
    layer, count = [content], 0
    for _ in range(MAX_DEPTH):
        count += len(layer)
        if not layer or count > MAX_PARTS:
            break
        if not all(_is_key(key) for part in layer if isinstance(part, dict) for key in part):
            raise InputError(
                Fault(file, "a key in it is neither text nor a usual number", "put it into quotation marks")
            )
        layer = list(islice((inner for part in layer for inner in parts(part)), MAX_PARTS))
    if layer:
        what = f"lists and mappings in it are nested without end, or have over {MAX_PARTS} parts"
        raise InputError(Fault(file, what, "write out what is meant"))


def _is_key(key: Any) -> bool:
    return abs(key) <= MAX_WHOLE if isinstance(key, int) else isinstance(key, str | float | None)


def parts(content: Any) -> Iterable[Any]:
    """What a list or mapping consists of; nothing for anything else."""
    return content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()


def _not_usable(content: Any, place: tuple = ()) -> Iterator[tuple[tuple, str]]:
    """Place of each number that nothing can be done with, and what is wrong with it."""
    if isinstance(content, float) and not math.isfinite(content):
        yield place, f"`{content}` is not a finite number"
    if isinstance(content, int) and abs(content) > MAX_WHOLE:
        yield place, _TOO_LONG
    keyed = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, part in keyed:
        yield from _not_usable(part, (*place, key))


def _number(text: Any) -> str:
    """How YAML writes the number that a text means; it reads 1e-3 as a text."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return ""
    return yaml.safe_dump(value).split()[0] if isinstance(text, str) and math.isfinite(value) else ""


def _where(place: tuple) -> str:
    return f"key `{'.'.join(map(str, place))}`" if place else ""


def _whole(content: Any, schema: Any) -> Any:
    """The same with 8.0 as 8 where a whole number is meant, which 8.0 is to a schema."""
    rule = schema if isinstance(schema, dict) else {}
    kinds = rule.get("type", ())
    if isinstance(content, float) and "integer" in ([kinds] if isinstance(kinds, str) else kinds):
        return int(content)
    if isinstance(content, list):
        return [_whole(part, rule.get("items")) for part in content]
    if isinstance(content, dict):
        own, others = rule.get("properties", {}), rule.get("additionalProperties")
        return {key: _whole(part, own.get(key, others)) for key, part in content.items()}
    return content


def _filled(content: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    full = copy.deepcopy(content)
    for key, rule in schema.get("properties", {}).items():
        if key not in full and "default" in rule:
            full[key] = copy.deepcopy(rule["default"])
        if isinstance(full.get(key), dict) and "properties" in rule:
            full[key] = _filled(full[key], rule)
    # in one order, however it was written: it goes into commands, and another command would run again
    return {key: full[key] for key in (*schema.get("properties", {}), *full) if key in full}
