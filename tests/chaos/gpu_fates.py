"""What becomes of a body that SageMaker was sent: drawn, by nothing but its name."""

from dataclasses import dataclass
from random import Random

OVERDUE_S = 3.5  # after which nothing that was sent is waited for
POISON = 0.015  # of bodies: whoever serves them fails at each try
LOST_NOTICE = 0.12


@dataclass(frozen=True, slots=True)
class Fate:
    """What SageMaker does with a body, and tells of it.

    Attributes:
        answers: after how many seconds an output is written; two of them, where that is twice.
        told: what is told, after how many seconds, of which status.
        short: whether the output has fewer rows than were sent.
    """

    answers: tuple[float, ...] = ()
    told: tuple[tuple[float, str], ...] = ()
    short: bool = False


def fate(inference_id: str, time: int, seed: int) -> Fate:
    """Return the fate of a body that is sent with this id for this *time*: 1, 2, …"""
    body = inference_id.rpartition(".")[0]
    if Random(f"{seed} {body}").random() < POISON:
        return Fate(told=((0.2, "Failed"),))
    draw = Random(f"{seed} {inference_id} {time}")
    made = draw.choices(list(_FATES), weights=list(_FATES.values()))[0](draw)
    told = [
        (after_s + draw.uniform(0, 0.8), status)
        for after_s, status in made.told
        for _ in range(_copies(draw))
    ]
    return Fate(made.answers, tuple(told), made.short)


def _copies(draw: Random) -> int:
    return 0 if draw.random() < LOST_NOTICE else draw.choice((1, 1, 1, 1, 1, 1, 2, 3))


def _answered(draw: Random) -> Fate:
    after_s = draw.uniform(0.05, 1.0)
    return Fate((after_s,), ((after_s, "Completed"),))


def _failed(draw: Random) -> Fate:
    return Fate(told=((draw.uniform(0.05, 0.8), "Failed"),))


def _expired(draw: Random) -> Fate:
    return Fate(told=((draw.uniform(0.5, 2.0), "Expired"),))


def _forgotten(_: Random) -> Fate:
    return Fate()


def _late(draw: Random) -> Fate:
    after_s = OVERDUE_S + draw.uniform(0.5, 4.0)
    return Fate((after_s,), ((after_s, "Completed"),))


def _twice(draw: Random) -> Fate:
    first_s = draw.uniform(0.05, 0.6)
    second_s = first_s + draw.uniform(0.1, 3.0)
    return Fate((first_s, second_s), ((first_s, "Completed"), (second_s, "Completed")))


def _answered_and_failed(draw: Random) -> Fate:
    after_s = draw.uniform(0.05, 0.6)
    return Fate((after_s,), ((after_s, "Completed"), (after_s + draw.uniform(0, 2.0), "Failed")))


def _failed_and_answered(draw: Random) -> Fate:
    failed_s = draw.uniform(0.05, 0.4)
    after_s = failed_s + draw.uniform(0.3, 1.5)
    return Fate((after_s,), ((failed_s, "Failed"), (after_s, "Completed")))


def _short(draw: Random) -> Fate:
    after_s = draw.uniform(0.05, 0.6)
    return Fate((after_s,), ((after_s, "Completed"),), short=True)


# What may become of a body, and how often in a hundred.
_FATES = {
    _answered: 71,
    _failed: 9,
    _expired: 4,
    _forgotten: 2,
    _late: 3,
    _twice: 4,
    _answered_and_failed: 4,
    _failed_and_answered: 3,
    _short: 0.5,
}
