"""What one caller may do: the policies that name them, joined."""

from collections.abc import Iterable, Sequence

from headrace_runtime.access.denials import Forbidden
from headrace_runtime.access.model_glob import matches
from headrace_runtime.access.policy import EVERY_MODEL, Action, Policy
from headrace_runtime.errors import ModelNotFound


class Access:
    """The rights of one caller; without a policy that gives it, nothing is allowed.

    Args:
        policies: all that there are.
        subjects: what policies may call this caller.
    """

    __slots__ = ("_globs",)

    def __init__(self, policies: Iterable[Policy], subjects: Sequence[str]) -> None:
        self._globs: dict[Action, set[str]] = {}
        for policy in policies:
            if not set(policy.subjects).isdisjoint(subjects):
                for action in policy.actions:
                    self._globs.setdefault(action, set()).update(policy.models)

    def may(self, action: Action, model: str) -> bool:
        """Return whether the caller may do *action* to *model*."""
        return any(matches(glob, model) for glob in self._globs.get(action, ()))

    def sees(self, model: str) -> bool:
        """Return whether the caller may know whether there is such a model: any action does."""
        return any(self.may(action, model) for action in self._globs)

    def follows(self, model: str) -> bool:
        """Return whether the caller may know of jobs of *model*, which is empty if none is known.

        Only who may do it to every model may know of those.
        """
        return self.may(Action.READ, model) or self.may(Action.SUBMIT, model)

    def check(self, action: Action, model: str) -> None:
        """Let pass who may do *action* to *model*, whether or not there is such a model.

        Raises:
            ModelNotFound: the caller may not see it; no word differs from a model that is not.
            Forbidden: the caller sees it, and may not do this.
        """
        if not self.may(action, model):
            self.check_seen(model)
            raise Forbidden(action, model)

    def check_seen(self, model: str) -> None:
        """Let pass who may do anything to *model*.

        Raises:
            ModelNotFound: the caller may not.
        """
        if not self.sees(model):
            raise ModelNotFound(model)

    def check_admin(self) -> None:
        """Let pass who rules over keys and policies: `admin` of `*`, spelt just so.

        Raises:
            Forbidden: the caller does not.
        """
        if EVERY_MODEL not in self._globs.get(Action.ADMIN, ()):
            raise Forbidden(Action.ADMIN, EVERY_MODEL)
