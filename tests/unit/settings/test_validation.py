from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.core.errors import ConfigurationError
from steadyhand.settings.document import Report, parse
from steadyhand.settings.validation import check_table


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth: int = Field(default=1, le=3, description="how deep")


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="what it is called")
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    refuse: bool = False

    @model_validator(mode="after")
    def _own_check(self) -> "Outer":
        if self.refuse:
            raise ConfigurationError("it was refused", hint="ask again")
        return self


def check(text: str) -> list[tuple[str, str, str, str | None, str]]:
    report = Report()
    document = parse("f.toml", text, report)
    assert document is not None
    check_table(Outer, document.values["t"], document, ("t",), report)
    return [(p.code, p.path, p.key, p.nearest, p.advice) for p in report.problems]


def test_an_unknown_key_names_the_nearest_at_its_own_level() -> None:
    assert check('[t]\nname = "x"\n\n[t.inner]\ndepht = 2\n') == [
        ("E0104", "f.toml:5", "t.inner.depht", "depth", "did you mean 'depth'?")
    ]


def test_an_unknown_key_in_a_list_of_tables_is_found_there_too() -> None:
    text = '[t]\nname = "x"\n\n[[t.many]]\ndepth = 1\n\n[[t.many]]\ndept = 2\n'
    assert check(text) == [
        ("E0104", "f.toml:8", "t.many[1].dept", "depth", "did you mean 'depth'?")
    ]


def test_an_unknown_key_like_no_other_lists_what_there_is() -> None:
    assert check('[t]\nname = "x"\nzzzzz = 1\n') == [
        ("E0104", "f.toml:3", "t.zzzzz", None, "keys are inner, many, name, refuse")
    ]


def test_a_missing_key_is_placed_at_its_table_and_explained() -> None:
    assert check("\n[t]\n") == [("E0106", "f.toml:2", "t.name", None, "what it is called")]


def test_a_bad_value_is_explained_by_its_description() -> None:
    assert check('[t]\nname = "x"\ninner = { depth = 4 }\n') == [
        ("E0105", "f.toml:3", "t.inner.depth", None, "how deep")
    ]


def test_all_mistakes_of_a_table_are_told_at_once() -> None:
    assert len(check("[t]\nzzzzz = 1\ninner = { depth = 4 }\n")) == 3


def test_an_error_that_a_plugin_raises_keeps_its_hint() -> None:
    assert check('[t]\nname = "x"\nrefuse = true\n') == [
        ("E0105", "f.toml:1", "t", None, "ask again")
    ]
