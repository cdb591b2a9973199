"""The shipped model: its files, its values, its relations and constructors."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from xenconform.models import types as t
from xenconform.models.api import Api, Qualifier, State
from xenconform.models.check import problems, surroundings
from xenconform.models.load import ANY_CLASS, DATA, ModelError, class_files
from xenconform.models.values import canonical, null

API = Api.load()
SCHEMA = json.loads((DATA / "schema" / "class.schema.json").read_text())


@pytest.mark.parametrize("file", class_files(DATA), ids=lambda file: file.stem)
def test_every_class_file_fits_the_schema_and_the_rules(file: Path) -> None:
    """Each shipped class file is valid by the schema, and what it names is there."""
    document = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["name"] == file.stem
    assert problems(document, surroundings(file)) == []


def test_the_schema_is_a_schema() -> None:
    """The schema of class files is itself valid."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_model_is_read_once() -> None:
    """Loading again gives the same object."""
    assert Api.load() is API


def test_defaults_are_typed_values() -> None:
    """Defaults of every kind of type are Python values of that type."""
    fields = {f"{cls.name}.{name}": field for cls in API.classes.values() for name, field in cls.fields.items()}

    def default(name: str) -> object:
        assert fields[name].has_default, name
        return fields[name].default

    assert default("VM.tags") == ()
    assert default("secret.other_config") == {}
    assert default("VM.suspend_VDI") == null("VDI")
    assert default("VM.HVM_shadow_multiplier") == 1.0
    assert isinstance(default("VM.HVM_shadow_multiplier"), float)
    assert default("VM.snapshot_time") == datetime(1970, 1, 1, tzinfo=UTC)
    assert default("host.license_server") == {"address": "localhost", "port": "27000"}
    assert default("VDI.on_boot") == "persist"
    assert not fields["subject.roles"].has_default
    assert not fields["VM.is_a_template"].has_default


def test_every_default_has_a_canonical_form_of_its_type() -> None:
    """No default is of another type than its field: refs are null, enum values declared, ints whole."""
    for cls in API.classes.values():
        for field in cls.fields.values():
            if not field.has_default:
                continue
            canonical(field.type, field.default)
            match field.type:
                case t.RefTo(target):
                    assert field.default == null(target)
                case t.Enum(_, values):
                    assert field.default in values
                case t.Int():
                    assert type(field.default) is int
                case t.Bool():
                    assert type(field.default) is bool
                case _:
                    pass


def test_every_type_prints_as_it_was_written() -> None:
    """The notation of every field's type reads back to the same type, and every enum has values."""
    enums = {name: values for cls in API.classes.values() for name, values in cls.enums.items()}
    for cls in API.classes.values():
        for field in cls.fields.values():
            if field.type != t.RecordOf(ANY_CLASS):
                assert t.parse(str(field.type), enums) == field.type
            if isinstance(field.type, t.Enum):
                assert field.type.values


def test_relations_are_pairs_of_a_reference_and_a_set() -> None:
    """The owner is the single ref, or of two sets the first; both ends refer to each other's class."""
    for each in API.relations:
        owner = API.classes[each.owner_cls].fields[each.owner_field].type
        derived = API.classes[each.derived_cls].fields[each.derived_field].type
        assert derived == t.SetOf(t.RefTo(each.owner_cls))
        assert owner == (t.SetOf(t.RefTo(each.derived_cls)) if each.many_owner else t.RefTo(each.derived_cls))
    names = [str(each) for each in API.relations]
    assert len(set(names)) == len(names)
    assert "VIF.VM<->VM.VIFs" in names
    assert "host.updates<->pool_update.hosts" in names
    assert not [name for name in names if "subject.roles" in name or "role.subroles" in name or "task.session" in name]


def test_no_field_is_an_end_of_two_relations() -> None:
    """Each field is bound once at most."""
    ends = [(r.owner_cls, r.owner_field) for r in API.relations] + [
        (r.derived_cls, r.derived_field) for r in API.relations
    ]
    assert len(set(ends)) == len(ends)


def test_constructors_map_parameters_onto_fields_of_the_same_type() -> None:
    """Each mapped parameter has the type of its field, no field is set twice, and the result is the new object."""
    for cls in API.classes.values():
        for made in cls.constructors:
            assert made.message.result == t.RefTo(cls.name)
            if made.record:
                assert made.message.implicit
                continue
            assert len(made.fields) == len(made.message.params)
            named = [name for name in made.fields if name]
            assert len(set(named)) == len(named)
            for param, name in zip(made.message.params, made.fields, strict=True):
                assert not name or cls.fields[name].type == param.type, f"{made.message.full_name} {param.name}"


def test_known_constructors() -> None:
    """Parameters that have another name than their field are mapped too."""
    made = {each.message.full_name: each for cls in API.classes.values() for each in cls.constructors}
    assert made["task.create"].fields == ("name_label", "name_description")
    assert made["VTPM.create"].fields == ("VM", "is_unique")
    assert made["network_sriov.create"].fields == ("physical_PIF", "")
    assert made["Cluster_host.create"].fields == ("cluster", "host", "PIF")
    assert made["DR_task.create"].fields == ("", "", "")
    assert made["VM.create"].record
    assert made["VDI.create"].record


def test_destructors() -> None:
    """Destroy ends an object, else forget; some classes have neither."""
    ends = {name: cls.destructor for name, cls in API.classes.items()}
    assert (ends["VM"], ends["VDI"], ends["SR"]) == ("destroy", "destroy", "destroy")
    assert (ends["PVS_site"], ends["Repository"]) == ("forget", "forget")
    assert (ends["pool"], ends["host_cpu"]) == ("", "")


def test_sessions_are_taken_by_all_but_the_logins() -> None:
    """Only the two messages that open a session take none."""
    without = {m.full_name for cls in API.classes.values() for m in cls.messages.values() if not m.takes_session}
    assert without == {"session.login_with_password", "session.slave_local_login_with_password"}


def test_messages_are_found_by_their_full_name() -> None:
    """A message that there is none of is None."""
    assert API.message("VM.start") is API.classes["VM"].messages["start"]
    assert API.message("VM.nothing") is None
    assert API.message("nothing.start") is None
    assert API.message("VM") is None
    assert API.message("Async.VM.start") is None


def test_lifecycles_and_qualifiers_are_read() -> None:
    """States follow from the transitions."""
    assert API.classes["VMPP"].lifecycle.state is State.REMOVED
    assert API.classes["VM"].fields["is_a_template"].qualifier is Qualifier.RW
    assert API.classes["VM"].lifecycle.transitions == (("published", "rio"), ("changed", "1.257.0"))


def test_a_directory_of_class_files_is_a_model(tmp_path: Path) -> None:
    """A directory that holds classes alone takes the shared lists from the shipped model."""
    shutil.copytree(DATA / "classes", tmp_path / "classes")
    found = Api.load(tmp_path)
    assert found.classes == API.classes
    assert found.relations == API.relations
    assert found.release == API.release


def test_a_directory_without_classes_is_refused(tmp_path: Path) -> None:
    """The message says what was expected."""
    with pytest.raises(ModelError, match=r"expected classes/<Class>\.json"):
        Api.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"name": "VM"}', '{"name": "VM", "enums": 3}', "\xff"])
def test_a_broken_class_file_is_refused_plainly(tmp_path: Path, text: str) -> None:
    """A file that is no class gives a ModelError, not a trace of another kind."""
    (tmp_path / "classes").mkdir()
    (tmp_path / "classes" / "VM.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError):
        Api.load(tmp_path)


def test_a_release_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    """A lifecycle may name known releases only, else no view of a release could be made."""
    (tmp_path / "classes").mkdir()
    text = (DATA / "classes" / "secret.json").read_text().replace("midnight-ride", "nowhere")
    (tmp_path / "classes" / "secret.json").write_text(text)
    with pytest.raises(ModelError, match="nowhere"):
        Api.load(tmp_path)
