"""Destinations that the policy and the settings name must be there; asked at start, when the database answers."""

from collections.abc import Iterable

from domain.errors import SetupError
from workers.app import App


def demand_destinations(app: App) -> None:
    """Raises `SetupError`, naming those that are neither configured nor added."""
    known = app.notifier.destinations
    if unknown := sorted(app.policy.destinations - set(known)):
        raise _not_there(f"The policy notifies {', '.join(unknown)}", known)
    checkpoint = app.settings.checkpoint_destination
    if checkpoint is not None and checkpoint not in known:
        raise _not_there(f"SPOTCLAIM_CHECKPOINT_DESTINATION is {checkpoint}", known)


def _not_there(what: str, known: Iterable[str]) -> SetupError:
    return SetupError(
        f"{what}, which SPOTCLAIM_DESTINATIONS does not name and `spotclaim destinations add` has not added; "
        f"there are {', '.join(known) or 'none'}."
    )
