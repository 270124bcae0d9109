"""The data folder of the embedded form."""

from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import TemporaryFile

from domain.errors import SetupError


class Occupied(SetupError):
    """Another process already runs on this data folder."""


def demand_folder(folder: Path) -> None:
    """Makes the data folder. Raises `SetupError` where there cannot be one, or nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SetupError(
            f"SPOTCLAIM_DATA: {folder} cannot be the data folder ({error.strerror}); choose another with --data."
        ) from None


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Holds the data folder for one `up`. Raises `Occupied` when another holds it; a killed one holds nothing."""
    demand_folder(folder)
    with (folder / "up.lock").open("w") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except OSError:
            raise Occupied(
                f"Another `spotclaim up` runs on {folder}; stop it, or choose another folder with --data."
            ) from None
        yield
