"""Options that may be left out, shown without the None that stands for that."""

from dataclasses import fields, make_dataclass
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec


def one_of(words: Any) -> PrimitiveConstructorSpec:
    """How one of the words of a `Literal` is read where none of them may be given."""
    choices = get_args(words)
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{{{','.join(choices)}}}",
        instance_from_str=lambda given: given[0],
        is_instance=lambda value: value is None or value in choices,
        str_from_instance=lambda value: [str(value)],
        choices=choices,
    )


def shown_without_none(record: Any) -> Any:
    """A record of settings whose numbers and files that may be left out are named as such."""
    kind = type(record)
    named: list[Any] = []
    for name, hint in get_type_hints(kind).items():
        if NoneType in get_args(hint):
            metavar = "FILE" if str in get_args(hint) else "NUMBER"
            shown = arg(metavar=metavar, help_behavior_hint="(default: none)")
            named.append((name, Annotated[hint, shown], getattr(record, name)))
    made = make_dataclass(kind.__name__, named, bases=(kind,), frozen=True)
    return made(**{each.name: getattr(record, each.name) for each in fields(record)})
