"""Write for people what must be whole or not there at all, and never over what is there."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labs.kit.errors import LabsError


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Tell in a sentence that `out` cannot be written, or not even looked at.

    Raises:
        LabsError: so it is.
    """
    try:
        yield
    except OSError as error:
        raise LabsError(f"{out} cannot be written ({error.strerror or error}).") from error


def refuse_taken(out: Path, is_file: bool) -> None:
    """Refuse to write where something is; an empty folder may be there for another folder.

    Raises:
        LabsError: something is there, or it cannot be looked at.
    """
    with writing(out):
        taken = out.is_symlink() or (out.exists() and (is_file or not out.is_dir() or any(out.iterdir())))
    if taken:
        raise LabsError(f"{out} is there already, and nothing is overwritten: name another.")


@contextmanager
def in_one_piece(out: Path, is_file: bool = False) -> Iterator[Path]:
    """Give a folder to write into; at the end what is in it, or the `packed.zip` in it, takes the place of `out`.

    Raises:
        LabsError: something is there already, or it cannot be written.
    """
    refuse_taken(out, is_file)
    with writing(out):
        # An empty folder stays the one that it is: somebody may stand in it, or a volume may be mounted there.
        fill = out.is_dir()
        around = out if fill else out.absolute().parent
        around.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".labs-", dir=around) as beside:
            place = Path(beside, "new")
            place.mkdir()
            yield place
            if is_file:
                (place / "packed.zip").rename(out)
            elif fill:
                for path in list(place.iterdir()):
                    path.rename(out / path.name)
            else:
                place.rename(out)
