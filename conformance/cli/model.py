"""`xenconform model`: show, compare, check, import and draw models of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from xenconform.conformance.cli import tables
from xenconform.models import check as rules_check
from xenconform.models import diagram as drawing
from xenconform.models import diff as differ
from xenconform.models.api import Api, ApiClass
from xenconform.models.load import DATA, ModelError, read_json, shared

_P = ParamSpec("_P")
_R = TypeVar("_R")
_DIR = click.Path(file_okay=False, path_type=Path)


class UserError(click.ClickException):
    """A wrong use: printed plainly, with the fix in its text; the command exits with 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message to the standard error."""
        click.echo(f"xenconform: {self.message}", err=True, file=file)


def _plainly(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Make a command tell a wrong model, name or file in plain lines rather than with a trace."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except ValueError as error:
            raise UserError(str(error)) from error
        except BrokenPipeError:
            raise  # the reader, such as head, has had enough; click ends quietly
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise UserError(f"{where}{error.strerror}; give a path that can be used") from error

    return run


@click.group()
@click.option(
    "--model", "root", type=_DIR, help="A model's directory, as `model import` makes it; else the shipped one."
)
@click.pass_context
def model(ctx: click.Context, root: Path | None) -> None:
    """Show, compare, check and import models of the API."""
    ctx.obj = root


def _api(ctx: click.Context, release: str | None = None) -> Api:
    api = Api.load(ctx.obj)
    return api.at(release) if release else api


def _release(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--release", help="The release to show, like 8.2; else the newest.")(command)


@model.command("list")
@_release
@click.pass_context
@_plainly
def list_(ctx: click.Context, release: str | None) -> None:
    """List the classes."""
    api = _api(ctx, release)
    rows = [
        (
            each.name,
            str(len(each.fields)),
            str(len(each.messages)),
            ", ".join(made.message.name for made in each.constructors),
            each.destructor,
            tables.life(each.lifecycle),
        )
        for each in api.classes.values()
    ]
    tables.show(f"Classes of {api.release}", ("class", "fields", "messages", "made by", "ended by", "since"), rows)
    fields = sum(len(each.fields) for each in api.classes.values())
    messages = sum(len(each.messages) for each in api.classes.values())
    click.echo(
        f"{len(api.classes)} classes, {fields} fields, {messages} messages, {len(api.relations)} relations, "
        f"{len(api.errors)} errors"
    )


@model.command("show")
@click.argument("name", metavar="CLASS")
@_release
@click.pass_context
@_plainly
def show(ctx: click.Context, name: str, release: str | None) -> None:
    """Show a class: fields, messages, relations and constructors."""
    api = _api(ctx, release)
    each = _find(api, name)
    click.echo(f"{each.name} in {api.release}: {each.lifecycle.state}, {tables.life(each.lifecycle)}")
    tables.show("Fields", ("field", "type", "qualifier", "default", "since"), tables.field_rows(each))
    tables.show(
        "Messages",
        ("message", "result", "lowest roles", "errors", "since"),
        tables.message_rows(each),
        empty="no messages",
    )
    tables.show("Enums", ("enum", "values"), [(enum, ", ".join(values)) for enum, values in each.enums.items()])
    bound = drawing.relations_about(api, each.name)
    tables.show("Relations", ("written end", "following end", "kind"), [tables.relation_row(one) for one in bound])
    tables.show("Constructors", ("message", "fields"), tables.constructor_rows(each))


def _find(api: Api, name: str) -> ApiClass:
    """Return the class of this name; case counts only where two names differ in nothing else."""
    found = api.classes.get(name)
    if found is None:
        same = [each for key, each in api.classes.items() if key.casefold() == name.casefold()]
        found = same[0] if len(same) == 1 else None
    if found is None:
        folded = {key.casefold(): key for key in api.classes}
        near = [folded[each] for each in get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
        hint = f"did you mean {', '.join(near)}?" if near else "`xenconform model list` shows them"
        raise UserError(f"no class {name!r} in {api.release}; {hint}")
    return found


@model.command("openapi")
@click.option("--class", "classes", multiple=True, metavar="CLASS", help="Only the messages of this class.")
@_release
@click.pass_context
@_plainly
def openapi(ctx: click.Context, classes: tuple[str, ...], release: str | None) -> None:
    """Print an OpenAPI 3.1 description of the JSON-RPC endpoint, one operation a message."""
    from xenconform.models.openapi import describe  # noqa: PLC0415 - only this command needs it

    api = _api(ctx, release)
    click.echo(json.dumps(describe(api, [_find(api, name).name for name in classes]), indent=1))


@model.command("diff")
@click.argument("old")
@click.argument("new")
@click.pass_context
@_plainly
def diff(ctx: click.Context, old: str, new: str) -> None:
    """Show what changed from the release OLD to the release NEW."""
    before, after = _api(ctx, old), _api(ctx, new)
    changes = differ.diff(before, after)
    rows = [(each.kind.value, each.what, each.name, each.detail) for each in changes]
    title = f"From {before.release} to {after.release}"
    tables.show(title, ("change", "what", "name", "how"), rows, empty=f"{title}: nothing changed")
    if changes:
        counts = {kind: sum(each.kind is kind for each in changes) for kind in differ.Kind}
        click.echo(", ".join(f"{count} {kind.value}" for kind, count in counts.items() if count))


@model.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_plainly
def check(file: Path) -> None:
    """Check a class file, or an upstream xenapi.json, against the schema and the rules."""
    document = read_json(file)
    if _is_upstream(document):
        _convert(document, file)
    else:
        found = _schema_problems(document) or rules_check.problems(document, rules_check.surroundings(file))
        if not found and file.stem != document["name"]:
            found = [f"the class is called {document['name']}; call the file {document['name']}.json"]
        if found:
            raise UserError("\n".join(f"{file}: {each}" for each in found))
    click.echo(f"{file}: good")


def _is_upstream(document: Any) -> bool:
    return isinstance(document, list) or (isinstance(document, dict) and "classes" in document)


def _schema_problems(document: Any) -> list[str]:
    """Return where a class file does not fit the schema, a line each."""
    import jsonschema  # noqa: PLC0415 - slow to import, and only this needs it

    schema = read_json(DATA / "schema" / "class.schema.json")
    errors = sorted(jsonschema.Draft202012Validator(schema).iter_errors(document), key=lambda each: each.json_path)
    return [f"at {each.json_path.removeprefix('$.')}: {each.message}; see the schema of class files" for each in errors]


def _convert(document: Any, file: Path) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return class files and releases of an upstream document."""
    from xenconform.models import upstream  # noqa: PLC0415 - only two of the commands need it

    known = Api.load()
    try:
        files = upstream.convert(document, known)
        releases = upstream.releases_of(files, [(each.name, each.product) for each in known.releases])
    except ModelError as error:
        raise UserError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from error
    return files, releases


@model.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=_DIR, help="The directory to write the model to; made if it is not there.")
@_plainly
def import_(file: Path, out: Path) -> None:
    """Import an upstream xenapi.json as a model of our own format."""
    from xenconform.models.dump import write_model  # noqa: PLC0415 - only this command needs it

    files, releases = _convert(read_json(file), file)
    if (out / "classes").exists():
        raise UserError(f"{out}: there is a model already; remove it or give another directory")
    write_model(files, releases, shared(DATA, "roles"), out)
    api = Api.load(out)
    messages = sum(len(each.messages) for each in api.classes.values())
    click.echo(
        f"{out}: {len(api.classes)} classes, {messages} messages; use it with `xenconform model --model {out} list`"
    )


@model.command("diagram")
@click.option("--format", "form", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
@click.option("--class", "cls", default="", metavar="CLASS", help="Only the relations of this class.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; else the standard output.")
@_release
@click.pass_context
@_plainly
def diagram(ctx: click.Context, form: str, cls: str, out: Path | None, release: str | None) -> None:
    """Draw the bound relations with crow's feet."""
    from xenconform.models.diagram_svg import svg  # noqa: PLC0415 - only this command needs it

    api = _api(ctx, release)
    name = _find(api, cls).name if cls else ""
    relations = drawing.relations_about(api, name)
    title = f"Bound relations of {name or 'the API'}, {api.release}"
    text = drawing.mermaid(relations) if form == "mermaid" else svg(relations, title)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{out}: {len(relations)} relations", err=True)
