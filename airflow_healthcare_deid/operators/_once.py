"""Creating and deleting what the service makes at once, without an operation: exactly once, whatever gets lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import ConflictError, PermissionOrNotFoundError, TransientApiError
from airflow_healthcare_deid.hooks._backoff import Backoff
from airflow_healthcare_deid.resource_names import DatasetName

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_healthcare_deid.hooks.healthcare import HealthcareHook
    from airflow_healthcare_deid.operators._request import ResourceName

ATTEMPTS = 5


def exists(hook: HealthcareHook, name: ResourceName) -> bool | None:
    """Tell whether a dataset or store exists, or None if this caller may not know."""
    if isinstance(name, DatasetName):
        return hook.dataset_exists(name)
    try:
        hook.get_resource(name)
    except PermissionOrNotFoundError as error:
        # Where the dataset is gone, so is the store, but the service answers 403.
        return False if error.status == 404 or hook.dataset_exists(name.dataset_name) is False else None
    return True


def create_once(
    hook: HealthcareHook, name: ResourceName, create: Callable[[], object], sleep: Callable[[float], None]
) -> bool:
    """Create a resource; one that another try of the same request made counts as made.

    :return: whether it was made; False if it was there already.
    """
    backoff = Backoff()
    there = exists(hook, name)
    doubtful = False
    while not there:
        try:
            create()
        except ConflictError:
            # Seen to be absent before, and a request of ours got lost: it arrived all the same.
            return doubtful and there is False
        except TransientApiError as error:
            doubtful = doubtful or error.sent
            if backoff.failures + 1 >= ATTEMPTS:
                raise
            sleep(backoff.after(error))
        else:
            return True
    return False


def delete_once(
    hook: HealthcareHook, name: ResourceName, delete: Callable[[], object], sleep: Callable[[float], None]
) -> bool:
    """Delete a resource.

    :return: whether it was deleted; False if it was gone already.
    :raises PermissionOrNotFoundError: if it may not be deleted, or it cannot be told whether it is gone.
    """
    backoff = Backoff()
    doubtful = False
    while True:
        try:
            delete()
        except PermissionOrNotFoundError:
            if exists(hook, name) is not False:
                raise
            return doubtful
        except TransientApiError as error:
            doubtful = doubtful or error.sent
            if backoff.failures + 1 >= ATTEMPTS:
                raise
            sleep(backoff.after(error))
        else:
            return True
