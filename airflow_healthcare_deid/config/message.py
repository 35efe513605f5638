"""What every message of a de-identification request has in common."""

from __future__ import annotations

from typing import Any, NewType, Protocol

import msgspec

Int64 = NewType("Int64", int)
"""A number of 64 bits; a plain ``int`` in a message has 32."""


class Report(Protocol):
    """Takes note of one broken rule."""

    def __call__(self, where: str, problem: str, way_out: str) -> None:
        """Take note of it.

        :param where: path of the field below the message that reports, in Google's spelling; empty for itself.
        :param problem: what is wrong, as the rest of a sentence that starts with the path.
        :param way_out: what to write instead.
        """


class Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
    repr_omit_defaults=True,
):
    """A message of the Cloud Healthcare API; a field that is None is not sent.

    Building one checks nothing: :func:`~airflow_healthcare_deid.config.load_config` and ``load_request`` do.
    """

    def check(self, report: Report) -> None:
        """Report every rule that this message breaks; its fields have the right types and are checked already."""

    def set_fields(self, *names: str) -> list[str]:
        """Return which of the named fields are set, in Google's spelling."""
        encoded = dict(zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True))
        return [encoded[name] for name in names if getattr(self, name) is not None]


def at_most_one(message: Message, report: Report, *names: str) -> None:
    """Report the second and later members of a union of which only one may be set."""
    first, *others = message.set_fields(*names) or [""]
    for other in others:
        report(other, f"cannot be set together with {first}", f"Keep either {first} or {other}")


def to_body(message: Message) -> dict[str, Any]:
    """Return a checked message as the service takes it: camelCase keys, nothing for what is None.

    An empty message stays (``{"fhir": {}}``), since present but empty means "with the defaults" and absent means
    "leave it out" (gcloud's ``datasets deidentify``, ``--default-fhir-config``).
    """
    body: dict[str, Any] = msgspec.to_builtins(message)
    return body
