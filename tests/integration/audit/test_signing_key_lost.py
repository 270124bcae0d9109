"""A signing key that is lost or replaced is said loudly, signs nothing, and needs somebody to let another sign."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from adapters.audit.checkpoint_file import CheckpointFile, read_checkpoints
from adapters.audit.signing_key import PublicKeys, public_file, signing_key
from adapters.postgres.audit.log import AuditLog
from adapters.postgres.audit.snapshot import open_snapshot
from domain.errors import Conflict, WrongKey
from tests.builders import a_fault
from tests.integration.parts import Everyone, Spotclaim
from workers.audit.findings import Result
from workers.audit.sequencer import Sequencer
from workers.audit.signing import Checkpoints
from workers.audit.verify import audit
from workers.runtime.audit_service import AuditService


@dataclass
class Signed:
    """A record whose checkpoints are signed, with the file of the key."""

    spotclaim: Spotclaim
    engine: Engine
    key: Path
    checkpoints: Checkpoints

    def happen(self, spot: str) -> None:
        self.spotclaim.take_in(faults=[a_fault(spot_id=spot)])
        Sequencer(AuditLog(self.engine)).run_once(1000)

    def sign(self, spot: str) -> str:
        """Signs a checkpoint after something happened."""
        self.happen(spot)
        line = self.checkpoints.run_once()
        assert line is not None
        return line

    def verify(self, keys: bytes | None = None) -> Result:
        file = self.key.with_name("checkpoints.jsonl")
        with open_snapshot(self.engine) as record:
            public = PublicKeys(keys or public_file(self.key).read_bytes())
            return audit(record, read_checkpoints(file), public)


@pytest.fixture
def signed(spotclaim: Spotclaim, engine: Engine, tmp_path: Path) -> Signed:
    key, file = tmp_path / "audit-key.pem", CheckpointFile(tmp_path / "checkpoints.jsonl")
    checkpoints = Checkpoints(AuditLog(engine), key, file, spotclaim.clock, Everyone(), None)
    made = Signed(spotclaim, engine, key, checkpoints)
    assert checkpoints.key_problem() is None
    made.sign("E1")
    return made


def lose(signed: Signed) -> None:
    signed.key.unlink()


def replace(signed: Signed) -> None:
    signing_key(signed.key.with_name("other.pem"))
    signed.key.with_name("other.pem").replace(signed.key)


def be_elsewhere(signed: Signed) -> None:
    signed.key.unlink()
    public_file(signed.key).unlink()


@pytest.mark.parametrize(
    ("harm", "said"), [(lose, "is gone"), (replace, "is to sign"), (be_elsewhere, "this machine has no key")]
)
def test_no_other_key_signs(signed: Signed, harm: object, said: str) -> None:
    """Nothing is made in place of the key, and everybody who looks hears of it."""
    harm(signed)  # type: ignore[operator]
    before = signed.key.exists()
    signed.happen("E2")

    with pytest.raises(WrongKey, match=said):
        signed.checkpoints.run_once()

    assert said in (signed.checkpoints.key_problem() or "")
    assert signed.key.exists() == before
    assert len(AuditLog(signed.engine).checkpoints()) == 1
    signed.checkpoints.demand_key()


def test_the_scheduler_says_so_and_goes_on(signed: Signed) -> None:
    """An error in its log, and a metric; events get their positions."""
    heard: list[bool] = []
    service = AuditService(
        Sequencer(AuditLog(signed.engine)),
        signed.checkpoints,
        checkpoint_every=timedelta(),
        poll_seconds=1,
        on_broken=lambda _: None,
        on_key=heard.append,
    )
    signed.spotclaim.take_in(faults=[a_fault(spot_id="E2")])
    kept = signed.key.read_bytes()
    lose(signed)

    with capture_logs() as logs:
        assert service.run_once() == 1
        signed.key.write_bytes(kept)
        service.run_once()

    assert heard == [False, True]
    assert [(it["log_level"], it["event"]) for it in logs if it["log_level"] == "error"] == [
        ("error", "no checkpoint: the signing key is gone or another")
    ]


@pytest.mark.parametrize("harm", [lose, replace, lambda _: None], ids=["lost", "replaced", "changed"])
def test_somebody_lets_another_key_sign(signed: Signed, harm: object) -> None:
    """On record, with the reason; checkpoints of both keys verify, and the change is said."""
    was = signing_key(signed.key).id
    harm(signed)  # type: ignore[operator]

    key, previous = signed.checkpoints.new_key("the disk is gone", "cli:ada")
    signed.sign("E2")

    assert (previous, signing_key(signed.key).id) == (was, key)
    assert key != was
    result = signed.verify()
    assert result.findings == []
    [warning] = result.warnings
    assert f"It is signed by key {key}, earlier checkpoints by {was}; cli:ada let it at" in warning
    assert "the disk is gone" in warning
    assert signed.checkpoints.key_problem() is None


def test_old_signatures_without_their_public_key_are_said_to_be_unchecked(signed: Signed) -> None:
    """What is signed after them covers them; without that they are findings."""
    was = signing_key(signed.key).id
    lose(signed)
    public_file(signed.key).unlink()
    signed.checkpoints.new_key("the disk is gone", "cli:ada")
    Sequencer(AuditLog(signed.engine)).run_once(1000)

    assert [it.what for it in signed.verify().findings] == ["SIGNATURE_WRONG"]

    signed.sign("E2")
    result = signed.verify()
    assert result.findings == []
    assert f"1 checkpoint by the replaced key {was} not checked" in result.warnings[1]


def test_a_key_that_nobody_let_sign_is_found(signed: Signed, tmp_path: Path) -> None:
    """Also where its public key counts as known."""
    ours = public_file(signed.key).read_bytes()
    stranger = Checkpoints(
        _Careless(signed.engine), tmp_path / "s.pem", CheckpointFile(tmp_path / "s.jsonl"),
        signed.spotclaim.clock, Everyone(), None,
    )  # fmt: skip
    signed.happen("E2")
    assert stranger.run_once() is not None

    result = signed.verify(ours + public_file(tmp_path / "s.pem").read_bytes())

    assert [it.what for it in result.findings] == ["KEY_UNEXPECTED"]
    assert "nobody let it" in result.findings[0].sentence


class _Careless(AuditLog):
    """Lets any key sign, as earlier versions did."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.keys.present = lambda: None  # type: ignore[method-assign]


def test_nothing_is_replaced_before_the_first_checkpoint(
    engine: Engine, spotclaim: Spotclaim, tmp_path: Path
) -> None:
    """The first start makes the first key by itself."""
    file = CheckpointFile(tmp_path / "c.jsonl")
    fresh = Checkpoints(AuditLog(engine), tmp_path / "k.pem", file, spotclaim.clock, Everyone(), None)

    with pytest.raises(Conflict, match="Nothing was signed yet"):
        fresh.new_key("why not", "cli:ada")
    assert list(tmp_path.iterdir()) == []
    fresh.demand_key()
    assert (tmp_path / "k.pem").exists()
