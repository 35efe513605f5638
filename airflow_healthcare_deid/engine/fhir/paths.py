"""Paths of a `FieldMetadata`, and which elements of a resource they name.

A path is a period-separated list of element names and type names; types start upper-case (Google's reference of
``FieldMetadata``). It names every element whose chain of parents, from anywhere down to the element, reads like it:
``Address.String`` names ``Patient.address.city``. Of a choice, name and type are two components:
``Deceased.DateTime``. What Google leaves open is in `rules/fhir_paths.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from airflow_healthcare_deid.engine.fhir.model import Element, Kind
from airflow_healthcare_deid.engine.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_healthcare_deid.engine.fhir.model import FhirModel

_EXTENSION_COMPONENTS = frozenset({"extension", "modifierExtension", "Extension"})


@dataclass(frozen=True, slots=True)
class Step:
    """What components may stand for one element of a resource.

    :param one: a single component that names it.
    :param pair: two components that name it together, for a choice or a resource inside another: one of the first
        set, then one of the second.
    """

    one: frozenset[str]
    pair: tuple[frozenset[str], frozenset[str]] | None = None
    is_extension: bool = False


def resource_step(resource_type: str, field: str | None = None) -> Step:
    """Return what names a resource: its type, and inside another resource also the element that holds it."""
    types = frozenset({resource_type})
    if field is None:
        return Step(types)
    return Step(types | {field}, (frozenset({field}), types))


def element_step(model: FhirModel, element: Element, field: str) -> Step:
    """Return what names an element.

    :param field: its property name in the JSON, which differs from the element's name in a choice.
    """
    types = frozenset(type_names(model, element))
    if element.choice:
        base = frozenset({element.name, _capitalized(element.name)})
        return Step(types | {element.name, field}, (base, types), element.is_extension)
    if element.kind is Kind.COMPLEX and not element.type:
        types |= {_capitalized(element.name)}
    return Step(types | {field}, None, element.is_extension)


def type_names(model: FhirModel, element: Element) -> tuple[str, ...]:
    """Return the names a path may use for the type of an element, the most specific first."""
    if not element.type:
        return ()
    rules = load_rules("fhir_paths")
    names = [_capitalized(element.type)]
    if element.type == "code":
        names = [special for name, special in rules["code_types"].items() if name == element.name] + names
    names += [rules["type_aliases"][name] for name in names if name in rules["type_aliases"]]
    if "Quantity" in model.ancestors(element.type):
        names.append("Quantity")
    return tuple(names)


class Progress(NamedTuple):
    """How far a path has been matched.

    :param path: number of the path.
    :param components: how many of its components are matched.
    :param through_extension: whether one of them named an extension.
    """

    path: int
    components: int
    through_extension: bool


@dataclass(frozen=True, slots=True)
class Match:
    """What the paths say of one element; states of this kind are few, however deep a resource recurses.

    :param open: paths that may still match something below.
    :param here: the first rule with a path that ends here.
    :param by_name: the first rule with a path that ends here with the element's own name.
    :param above: the first rule with a path that ended at a parent.
    :param extension: the first rule with a path that named an extension on its way and ended here or at a parent.
    """

    open: frozenset[Progress] = frozenset()
    here: int | None = None
    by_name: int | None = None
    above: int | None = None
    extension: int | None = None


class PathMatcher:
    """Matches all paths of a list of rules at once, element by element from the root of a resource.

    :param rules: the paths of each rule, well-formed; the number of a rule is its place here.
    """

    def __init__(self, rules: Sequence[Iterable[str]]) -> None:
        self._paths = [(number, tuple(path.split("."))) for number, paths in enumerate(rules) for path in paths]
        self.names_extensions = any(not _EXTENSION_COMPONENTS.isdisjoint(path) for _, path in self._paths)

    def advance(self, match: Match, step: Step, name: str) -> Match:
        """Return what the paths say of an element below one that is matched.

        :param match: of the parent; `Match()` at the root.
        :param step: the element.
        :param name: the element's own name, as opposed to its type.
        """
        reached: set[Progress] = set()
        starts = (Progress(number, 0, False) for number in range(len(self._paths)))
        for progress in (*match.open, *starts):
            reached.update(self._steps(progress, step))
        result = Match(above=first_rule(match.here, match.above), extension=match.extension)
        still_open = set()
        for progress in reached:
            rule, path = self._paths[progress.path]
            if progress.components < len(path):
                still_open.add(progress)
                continue
            result = replace(result, here=first_rule(result.here, rule))
            if path[-1] == name:
                result = replace(result, by_name=first_rule(result.by_name, rule))
            if progress.through_extension:
                result = replace(result, extension=first_rule(result.extension, rule))
        return replace(result, open=frozenset(still_open))

    def _steps(self, progress: Progress, step: Step) -> Iterable[Progress]:
        path = self._paths[progress.path][1]
        ahead = path[progress.components : progress.components + 2]
        through = progress.through_extension or (step.is_extension and ahead[0] in step.one)
        if ahead[0] in step.one:
            yield Progress(progress.path, progress.components + 1, through)
        if step.pair and len(ahead) == 2 and ahead[0] in step.pair[0] and ahead[1] in step.pair[1]:
            yield Progress(progress.path, progress.components + 2, through)


def first_rule(*rules: int | None) -> int | None:
    """Return the rule that stands first in the list; the others give way to it."""
    return min((rule for rule in rules if rule is not None), default=None)


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]
