"""What the operators that create and delete datasets and stores have in common."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_healthcare_deid.errors import ConflictError, InvalidRequestError, PermissionOrNotFoundError
from airflow_healthcare_deid.links import SourceDatasetLink, dataset_url
from airflow_healthcare_deid.operators._hooked import task_step
from airflow_healthcare_deid.operators._literals import is_literal
from airflow_healthcare_deid.operators._names import check_literal_name, parse_name
from airflow_healthcare_deid.operators._once import create_once, delete_once
from airflow_healthcare_deid.operators._request import dataset_of, mapping
from airflow_healthcare_deid.operators._service import HealthcareOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_healthcare_deid.operators._request import ResourceName
    from airflow_healthcare_deid.resource_names import DicomStoreName, FhirStoreName

IF_EXISTS = ("fail", "reuse")
IF_MISSING = ("fail", "ignore")


def check_choice(field: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices."""
    if value not in choices:
        raise InvalidRequestError(field, f"is {value!r}", f"Use one of {', '.join(choices)}")


def already_there(field: str, name: ResourceName) -> ConflictError:
    """Return the error of a resource that was to be created and is there."""
    return ConflictError(f"{field}: {name} exists already. Choose another name, delete it, or set if_exists='reuse'")


class CreateStoreOperator(HealthcareOperator):
    """What both operators that create a store have in common; returns the store's name.

    :param store: full name of the store; its dataset exists.
    :param labels: keys and values to tell stores by, as Google's ``labels``.
    :param body: further fields of the store, as in Google's reference.
    :param if_exists: ``fail`` (default), or ``reuse``: a store that is there is taken as it is.
    """

    template_fields = (*HealthcareOperator.template_fields, "store", "labels", "body")
    operator_extra_links = (SourceDatasetLink(),)
    store_type: ClassVar[type[DicomStoreName | FhirStoreName]]
    _sleep = staticmethod(time.sleep)

    def __init__(
        self,
        *,
        store: str,
        labels: Mapping[str, str] | str | None = None,
        body: Mapping[str, Any] | str | None = None,
        if_exists: Literal["fail", "reuse"] = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_literal_name(self.store_type, "store", store)
        check_choice("if_exists", if_exists, IF_EXISTS)
        self.store = store
        self.labels = labels
        self.body = body
        self.if_exists = if_exists
        if is_literal([part for part in (labels, body) if part is not None]):
            self._whole_body()

    @task_step
    def execute(self, context: Context) -> str:
        """Create the store."""
        name = parse_name(self.store_type, "store", self.store)
        SourceDatasetLink.persist(context, dataset_url(dataset_of(name)))
        body = {**self._whole_body(), **self._fields()}
        if create_once(self.hook, name, lambda: self._create(name, body), self._sleep):
            self.log.info("Created %s", name)
            return str(name)
        if self.if_exists != "reuse":
            raise already_there("store", name)
        self._check_existing(name)
        self.log.info("%s is there already and is used as it is", name)
        return str(name)

    def _whole_body(self) -> dict[str, Any]:
        """Return what the user gave of the store."""
        given = {"body": mapping("body", self.body) or {}, "labels": mapping("labels", self.labels) or {}}
        for field, value in given.items():
            if not isinstance(value, Mapping):
                raise InvalidRequestError(field, "is no mapping", "Write {key: value}, as in Google's reference")
        return {**given["body"], **({"labels": dict(given["labels"])} if given["labels"] else {})}

    def _fields(self) -> dict[str, Any]:
        return {}

    def _create(self, name: Any, body: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _check_existing(self, name: Any) -> None:
        """Refuse a store that is there but cannot stand in for the one that was asked for."""


class DeleteOperator(HealthcareOperator):
    """What the operators that delete have in common.

    Returns whether there was something to delete.

    :param if_missing: ``fail`` (default), or ``ignore``: what is gone already is a success, as a teardown wants it.
    """

    def __init__(self, *, if_missing: Literal["fail", "ignore"] = "fail", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_choice("if_missing", if_missing, IF_MISSING)
        self.if_missing = if_missing

    _sleep = staticmethod(time.sleep)

    @task_step
    def execute(self, context: Context) -> bool:
        """Delete it."""
        name = self._name()
        deleted = delete_once(self.hook, name, lambda: self._delete(name), self._sleep)
        if not deleted and self.if_missing != "ignore":
            raise PermissionOrNotFoundError(
                f"{name} does not exist. Set if_missing='ignore' to take that for a success", status=404
            )
        self.log.info("%s %s", "Deleted" if deleted else "Already gone:", name)
        return deleted

    def _name(self) -> ResourceName:
        raise NotImplementedError

    def _delete(self, name: Any) -> None:
        self.hook.delete_store(name)


class DeleteStoreOperator(DeleteOperator):
    """What both operators that delete a store have in common.

    :param store: full name of the store.
    """

    template_fields = (*DeleteOperator.template_fields, "store")
    store_type: ClassVar[type[DicomStoreName | FhirStoreName]]

    def __init__(self, *, store: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_literal_name(self.store_type, "store", store)
        self.store = store

    def _name(self) -> ResourceName:
        return parse_name(self.store_type, "store", self.store)
