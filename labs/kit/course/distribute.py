"""Grade on a Dask cluster that is there already: the same tasks, the same function, other machines.

Whatever the cluster does, each record is handed over once: a task whose worker is lost is run again elsewhere by
Dask's scheduler, and only its one result comes back. Submissions and records travel as plain data; on the way they
are as safe as the cluster's connections, which `tls://` addresses encrypt.
"""

import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from labs.kit import paths
from labs.kit.course.records import Record, Task
from labs.kit.errors import LabsError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 15


def grade(
    tasks: Sequence[Task],
    address: str,
    on_record: Callable[[Record], None],
    connect_seconds: float = CONNECT_SECONDS,
) -> list[str]:
    """Grade `tasks` on the cluster whose scheduler is at `address`.

    Args:
        tasks: each is graded once.
        address: for example `tcp://scheduler:8786`.
        on_record: called with each record as it comes, in any order, in this thread.
        connect_seconds: how long to wait for the scheduler and a first worker.

    Returns:
        a sentence for each task that could not be graded: workers kept dying over it, or its machine failed twice.

    Raises:
        LabsError: there is no such cluster, it has no worker, or a worker cannot grade: it has another version of
            the labs, or cannot lock student code up.
    """
    with _connected(address, connect_seconds) as client:
        return list(_graded(tasks, client, on_record))


@contextmanager
def _connected(address: str, seconds: float) -> Iterator["Client"]:
    if not find_spec("distributed"):
        raise LabsError("Grading on a cluster needs Dask: run `pip install 'tensorflow-labs[cluster]'`.")
    from distributed import Client
    from distributed.comm import get_address_host_port

    try:
        # A client that cannot read it waits for half a minute before it says so.
        get_address_host_port(address)
    except ValueError as error:
        raise LabsError(
            f"--scheduler {address} is no address of a Dask scheduler: write one like tcp://scheduler:8786."
        ) from error
    # What Dask has to say about a lost connection is for those who run the cluster, and stands in their logs.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise LabsError(f"No Dask scheduler answers at {address}: {_first_line(error)}.") from error
    try:
        try:
            client.wait_for_workers(1, timeout=seconds)
        except TimeoutError:
            raise LabsError(
                f"The Dask scheduler at {address} has no worker: start one, then try again."
            ) from None
        yield client
    finally:
        client.close()


def _graded(tasks: Sequence[Task], client: "Client", on_record: Callable[[Record], None]) -> Iterator[str]:
    """Hand over the records as they come, and yield a sentence for each that never will."""
    from distributed import as_completed

    run = uuid.uuid4().hex[:8]
    given = [task.as_dict() for task in tasks]
    keys = [f"labs-grade-{run}-{number}" for number in range(len(given))]
    futures = client.map(on_worker, given, own=digest(), key=keys, pure=False)
    named = {future.key: task for future, task in zip(futures, tasks, strict=True)}
    try:
        for future in as_completed(futures, loop=client.loop):
            task = named[future.key]
            if future.status != "finished":
                error = future.exception()
                if isinstance(error, LabsError):
                    raise error  # it would be the same for every other notebook
                yield f"{task.file} was not graded: {_first_line(error)}."
                continue
            answer = future.result()
            future.release()  # the workers need not keep it
            if "record" not in answer:
                raise LabsError(
                    f"The worker {answer['worker']} has another version of the labs. Install the same one there and "
                    "grade again: what is graded stays graded."
                )
            on_record(Record.from_dict(answer["record"]))
    finally:
        client.cancel(futures, force=True)


def on_worker(task: dict[str, Any], own: str) -> dict[str, Any]:
    """Grade one task in a worker's process and return its record, both as plain data.

    Args:
        task: what `Task.as_dict` gave.
        own: the digest of the labs that the teacher grades with.

    Returns:
        `record`; or `worker`, its address, where the labs are other ones.
    """
    from labs.kit.course.grader import grade_one

    if digest() != own:
        from distributed import get_worker

        return {"worker": get_worker().address}
    return {"record": grade_one(Task.from_dict(task)).as_dict()}


@cache
def digest() -> str:
    """Return what tells two versions of the labs apart: a digest of all their Python code and notebooks' sources."""
    told = hashlib.sha256()
    for path in sorted(paths.LABS.rglob("*.py")):
        told.update(path.relative_to(paths.LABS).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".")
