"""A page a JSON Schema that the product ships: every member with its type and what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from sitemaking.markdown import code, contents, link, table, text, title

SHIPPED = {
    "results": ("reports", "results.schema.json", "what `xenconform certify` and `fuzz` write as `results.json`"),
    "difference": ("reports", "difference.schema.json", "what `xenconform diff --json` writes"),
    "certificate": ("reports", "certificate.schema.json", "the statement that `certify --sign` signs"),
    "profile": ("models", "data/schema/profile.schema.json", "a profile, as TOML, with its waivers"),
    "class": ("models", "data/schema/class.schema.json", "a class of the model, a JSON file each"),
}
"""By name: the room, the file in it, and what it is the schema of."""

Schema = dict[str, Any]


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    rows = [(link(f"schema-{name}", name), text(what)) for name, (_, _, what) in SHIPPED.items()]
    index = [*title("Schemas", "schemas"), *contents(SHIPPED), *table(("schema", "of what"), rows)]
    return {"index.md": "\n".join(index), **{f"{name}.md": _page(name) for name in SHIPPED}}


def _page(name: str) -> str:
    room, file, what = SHIPPED[name]
    schema = json.loads(_room(room).joinpath(file).read_text("utf-8"))
    lines = [
        *title(f"Schema: {name}", f"schema-{name}"),
        f"Of {what}. The file is `{room}/{file}` ({_dialect(schema)}).",
        "",
    ]
    lines += [text(schema["description"]), ""] if "description" in schema else []
    lines += _members(schema)
    for part, inner in schema.get("$defs", {}).items():
        lines += [*title(text(part), f"schema-{name}-{part}", 2), text(inner.get("description", "")), ""]
        lines += _members(inner) if _rows(inner, "") else [f"{_type(inner)}.", ""]
    if name == "profile":
        lines += _shipped_profiles()
    return "\n".join(lines)


def _shipped_profiles() -> list[str]:
    """Return a section for each profile that the product ships, which is an example too."""
    lines = []
    for file in sorted((each.name for each in _room("models").joinpath("data", "profiles").iterdir()), reverse=True):
        lines += [*title(f"As shipped: {file}", f"profile-{file.removesuffix('.toml')}", 2)]
        lines += ["```toml", _room("models").joinpath("data", "profiles", file).read_text("utf-8"), "```", ""]
    return lines


def _room(name: str) -> Traversable:
    return files(f"xenconform.{name}")


def _dialect(schema: Schema) -> str:
    return f"JSON Schema {schema['$schema'].split('/')[-2]}"


def _members(schema: Schema) -> list[str]:
    return table(("member", "type", "needed", "what"), _rows(schema, ""))


def _rows(schema: Schema, path: str) -> list[tuple[str, str, str, str]]:
    return list(_walk(schema, path))


def _walk(schema: Schema, path: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each member, with those of objects and of lists of objects below their own."""
    needed = dict.fromkeys(schema.get("required", ()), "yes")
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}{name}"
        said = inner.get("description", "")
        yield code(here), _type(inner), needed.get(name, ""), text(said)
        yield from _walk(inner, f"{here}.")
        yield from _below(inner.get("items"), f"{here}[].")
        yield from _below(inner.get("additionalProperties"), f"{here}.*.")
    for each in schema.get("oneOf", ()):
        yield from ((name, kind, "one of these ways", what) for name, kind, _, what in _walk(each, path))


def _below(inner: Any, path: str) -> Iterator[tuple[str, str, str, str]]:
    if isinstance(inner, dict):
        yield from _walk(inner, path)


def _type(schema: Any) -> str:
    """Return the type of a member in words."""
    if not isinstance(schema, dict):
        return "anything"
    if "$ref" in schema:
        return text(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return " or ".join(code(json.dumps(each)) for each in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema and not any("properties" in each for each in schema[key]):
            return " or ".join(dict.fromkeys(map(_type, schema[key])))
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        return f"list of {_type(schema.get('items'))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"table of {_type(schema['additionalProperties'])}"
    form = schema.get("format") or schema.get("pattern")
    return f"{text(words)}, {code(form)}" if form else text(words)
