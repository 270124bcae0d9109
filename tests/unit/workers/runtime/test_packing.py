"""How pending steps are packed into messages."""

from adapters.postgres.steps.queue import DueStep
from domain.steps import Deliver
from workers.runtime.relay import pack


def steps(*sizes: int, kind: str = "verify", start: int = 1) -> list[DueStep]:
    return [DueStep(number, kind, size) for number, size in enumerate(sizes, start)]


def test_nothing_due_is_nothing_to_send() -> None:
    """At rest no message travels."""
    assert pack([]) == []


def test_a_single_step_goes_at_once_and_alone() -> None:
    """Latency when quiet."""
    assert pack(steps(1)) == [("verify", [1])]


def test_steps_of_one_kind_travel_together() -> None:
    """Throughput when busy: up to five hundred claims in one message."""
    assert pack(steps(*[1] * 500)) == [("verify", list(range(1, 501)))]
    assert pack(steps(200, 300, 1)) == [("verify", [1, 2]), ("verify", [3])]


def test_a_step_larger_than_a_message_still_goes() -> None:
    """By itself; what follows begins a new message."""
    assert pack(steps(1, 5000, 1)) == [("verify", [1]), ("verify", [2]), ("verify", [3])]


def test_kinds_do_not_mix() -> None:
    """Each has its own queue, and the order within a kind is kept."""
    due = [DueStep(1, "verify", 1), DueStep(2, "route", 1), DueStep(3, "verify", 1), DueStep(4, "announce", 1)]

    assert pack(due) == [("verify", [1, 3]), ("route", [2]), ("announce", [4])]


def test_few_deliveries_travel_alone() -> None:
    """Each may be sent by a worker of its own; a step names one, however many claims it speaks of."""
    assert pack(steps(1, 1, 1, kind="deliver")) == [("deliver", [1]), ("deliver", [2]), ("deliver", [3])]


def test_many_deliveries_travel_together_to_one_destination() -> None:
    """A slow destination delays only itself."""
    destinations = ("mail", "chat")
    due = [DueStep(n, "deliver", 1, payload=Deliver(["d"], destinations[n % 2]).payload) for n in range(64)]

    messages = [ids for _, ids in pack(due)]

    assert {len(ids) for ids in messages} == {4}
    assert all(len({number % 2 for number in ids}) == 1 for ids in messages)


def test_every_step_is_sent_exactly_once() -> None:
    """Whatever the sizes and kinds."""
    due = [
        DueStep(number, ("verify", "route", "announce", "deliver")[number % 4], number % 7 * 100)
        for number in range(1, 400)
    ]

    sent = [number for _, ids in pack(due) for number in ids]

    assert sorted(sent) == list(range(1, 400))
