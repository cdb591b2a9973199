"""A page a class of the model, and the index of all classes with the picture of their relations."""

from __future__ import annotations

from sitemaking import labels
from sitemaking.clauses import Facts
from sitemaking.markdown import code, contents, items, link, table, text, title
from xenconform.conformance.cli import tables
from xenconform.models.api import Api, ApiClass, Message
from xenconform.models.diagram import relations_about


def pages(of: Facts) -> dict[str, str]:
    """Return the text of each page by its file's name."""
    made = {f"{each.name}.md": _page(each, of) for each in of.api.classes.values()}
    return {"index.md": _index(of.api), "errors.md": _errors(of.api), **made}


def _index(api: Api) -> str:
    rows = [
        (
            link(labels.of_class(each.name), text(each.name)),
            str(len(each.fields)),
            str(len(each.messages)),
            code(", ".join(made.message.name for made in each.constructors)),
            code(each.destructor),
            text(tables.life(each.lifecycle)),
        )
        for each in api.classes.values()
    ]
    return "\n".join(
        [
            *title("Classes", "classes"),
            (
                f"The model of release {api.release}: {len(api.classes)} classes, {len(api.relations)} relations, "
                f"{len(api.errors)} error codes. `xenconform model show CLASS --release 8.2` shows an earlier view."
            ),
            "",
            *contents([*api.classes, "errors"]),
            *table(("class", "fields", "messages", "made by", "ended by", "since"), rows),
            "## Relations",
            "",
            "```{figure} relations.svg",
            ":alt: Every bound pair of fields, as the tables of the classes' pages list them",
            "",
            "Bound pairs of fields. {download}`The picture by itself <relations.svg>` is large enough to read.",
            "```",
            "",
        ]
    )


def _errors(api: Api) -> str:
    raised = {
        code_: [message for of in api.classes.values() for message in of.messages.values() if code_ in message.errors]
        for code_ in api.errors
    }
    rows = [(code(each.code), code(", ".join(each.params)), _few(raised[each.code])) for each in api.errors.values()]
    return "\n".join(
        [
            *title("Error codes", "errors"),
            "The published list: each code with the names of its parameters, and which messages name it.",
            "",
            *table(("code", "parameters", "named by"), rows),
        ]
    )


def _few(messages: list[Message], most: int = 3) -> str:
    named = ", ".join(link(labels.of_class(each.cls), code(each.full_name)) for each in messages[:most])
    return f"{named} and {len(messages) - most} more" if len(messages) > most else named


def _page(each: ApiClass, of: Facts) -> str:
    return "\n".join(
        [
            *title(text(each.name), labels.of_class(each.name)),
            f"{each.lifecycle.state.value.capitalize()}: {text(tables.life(each.lifecycle))}.",
            "",
            *_fields(each),
            *_relations(each, of.api),
            *_enums(each),
            *_making(each),
            *_messages(each),
            *_clauses(each, of),
        ]
    )


def _fields(each: ApiClass) -> list[str]:
    rows = [
        (code(f.name), labels.type_(f.type), f.qualifier.value, code(tables.default(f)), text(tables.life(f.lifecycle)))
        for f in each.fields.values()
    ]
    return ["## Fields", "", *(table(("field", "type", "qualifier", "default", "since"), rows) or ["None.", ""])]


def _relations(each: ApiClass, api: Api) -> list[str]:
    rows = []
    for one in relations_about(api, each.name):
        owner, derived, kind = tables.relation_row(one)
        rows.append((link(labels.of_class(one.owner_cls), code(owner)), link(labels.of_class(one.derived_cls),
                                                                              code(derived)), kind))  # fmt: skip
    return ["## Relations", "", *table(("written end", "following end", "kind"), rows)] if rows else []


def _enums(each: ApiClass) -> list[str]:
    rows = [(code(name), ", ".join(map(code, values))) for name, values in each.enums.items()]
    return ["## Enums", "", *table(("enum", "values"), rows)] if rows else []


def _making(each: ApiClass) -> list[str]:
    rows = [(code(name), text(fields)) for name, fields in tables.constructor_rows(each)]
    end = [f"An object is ended by {code(each.destructor)}.", ""] if each.destructor else []
    made = table(("message", "which parameter gives which field"), rows)
    return ["## Making and ending", "", *made, *end] if rows or end else []


def _messages(each: ApiClass) -> list[str]:
    plain = [message for message in each.messages.values() if not (message.implicit and message.field)]
    rows = [
        (
            code(message.name),
            ", ".join(f"{code(one.name)}: {labels.type_(one.type)}" for one in message.params),
            labels.type_(message.result),
            text(tables.lowest(message.roles)),
            ", ".join(map(code, message.errors)),
            text(tables.life(message.lifecycle)),
        )
        for message in plain
    ]
    accessors: dict[str, list[str]] = {}
    for message in each.messages.values():
        if message.implicit and message.field:
            accessors.setdefault(message.verb, []).append(message.field)
    lines = ["## Messages", "", *table(("message", "parameters", "result", "least role", "errors", "since"), rows)]
    if not each.messages:
        return [*lines, "None.", ""]
    if accessors:
        lines += ["Accessors that follow from the fields:", ""]
        lines += items(
            f"{code(f'{verb}_…')} of {len(fields)} fields"
            + ("" if verb == "get" else f": {', '.join(map(code, fields))}")
            for verb, fields in accessors.items()
        )
    return lines


def _clauses(each: ApiClass, of: Facts) -> list[str]:
    judged = {use.clause for use in of.checks if use.classes and each.name in use.classes}
    faults = [link(labels.of_fault(one.name), code(one.name)) for one in of.faults.values() if one.cls == each.name]
    named = labels.clauses(name for name in of.clauses if name in judged)
    return [
        "## Clauses judged on it",
        "",
        f"{named}." if judged else "None but those of the server as a whole.",
        "",
        *([f"Faults that show in it: {', '.join(faults)}.", ""] if faults else []),
    ]
