"""Policies: who may do what on which models. What no policy gives is not given."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from headrace_runtime.errors import InvalidName, UnfitInput

EVERY_MODEL = "*"

# Sets and not regular expressions: predict reads policies, and compiling would cost its start.
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_OF_NAMES = _LETTERS | {"-"}
_OF_GLOBS = _OF_NAMES | {"*", "?"}
_LONGEST = 63  # of names and globs
_MAX_SUBJECT = 512  # characters
_MOST = 200  # subjects, and globs, of one policy: it is one item of 400 KB at most


class Action(StrEnum):
    """What can be done to a model; `admin` of every model is also the rule over keys."""

    INFER = "infer"
    EXPLAIN = "explain"
    SUBMIT = "submit"  # a file of records, and to follow its job
    PUBLISH = "publish"
    PROMOTE = "promote"  # move an alias
    READ = "read"  # jobs and their files, whoever sent them
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Policy:
    """Gives each of its subjects each of its actions on each of its models.

    Attributes:
        name: 1-63 of a-z, 0-9 and inner hyphens.
        subjects: `key:<id>`, `sub:<subject>` or `claim:<name>=<value>` of a token, `iam:<arn>`.
        models: globs over names: `*` stands for any text, `?` for one character.
    """

    name: str
    subjects: tuple[str, ...]
    actions: frozenset[Action]
    models: tuple[str, ...]

    def __post_init__(self) -> None:
        policy_name(self.name)
        _check_several("subjects", self.subjects)
        _check_several("models", self.models)
        if not self.actions:
            raise UnfitInput(f"actions of a policy must name at least one of {_ACTIONS}")
        for subject in self.subjects:
            if not _is_subject(subject):
                raise UnfitInput(
                    f"{subject[:80]!r} is no subject: it is key:<id>, sub:<subject>, "
                    f"claim:<name>=<value> or iam:<arn>, of at most {_MAX_SUBJECT} characters"
                )
        for glob in self.models:
            if not (1 <= len(glob) <= _LONGEST and _OF_GLOBS.issuperset(glob)):
                raise UnfitInput(
                    f"{glob[:80]!r} names no models: it is 1-63 of a-z, 0-9, hyphen, * and ?"
                )


def policy_name(text: str) -> str:
    """Return *text* if it can name a policy.

    Raises:
        InvalidName: it is not 1-63 of a-z, 0-9 and inner hyphens.
    """
    fits = 1 <= len(text) <= _LONGEST and _OF_NAMES.issuperset(text)
    if not fits or "-" in (text[0], text[-1]):
        raise InvalidName("policy", text, "1-63 of a-z, 0-9 and inner hyphens")
    return text


def actions_of(names: Sequence[str]) -> frozenset[Action]:
    """Return the actions of these names.

    Raises:
        UnfitInput: there is no such action.
    """
    for name in names:
        if name not in Action.__members__.values():
            raise UnfitInput(f"there is no action {name[:80]!r}: there are {_ACTIONS}")
    return frozenset(map(Action, names))


_ACTIONS = ", ".join(Action)


def _is_subject(text: str) -> bool:
    kind, _, rest = text.partition(":")
    # What cannot be seen is a slip of whoever copied it, and would never be who was meant.
    if not rest or len(text) > _MAX_SUBJECT or not text.isprintable():
        return False
    if kind == "key":
        return _LETTERS.issuperset(rest)
    if kind == "claim":
        name, _, value = rest.partition("=")
        return bool(name and value)
    return kind == "sub" or (kind == "iam" and rest.startswith("arn:"))


def _check_several(what: str, texts: Sequence[str]) -> None:
    if not 1 <= len(texts) <= _MOST:
        raise UnfitInput(f"{what} of a policy must be 1 to {_MOST} texts, got {len(texts)}")
