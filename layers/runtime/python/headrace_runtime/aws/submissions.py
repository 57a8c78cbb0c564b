"""Submissions are taken: a form for the file, or a copy of an object; once, however often asked."""

from dataclasses import dataclass
from typing import Any

from headrace_runtime.aws.idempotency import Drawn, Idempotency
from headrace_runtime.aws.job_door import JobDoor
from headrace_runtime.aws.object_copies import ObjectCopies
from headrace_runtime.aws.tickets import Ticket, Tickets
from headrace_runtime.batch.submission import Submission
from headrace_runtime.batch.webhook import Webhook


@dataclass(frozen=True, slots=True)
class Submissions:
    """Takes what callers submit, whose rights were checked."""

    door: JobDoor
    copies: ObjectCopies
    tickets: Tickets
    idempotency: Idempotency

    def take(
        self, asked: Submission, drawn: Drawn, *, principal: str, idempotency_key: str | None
    ) -> dict[str, Any]:
        """Return what the caller goes on with, as plain JSON values.

        Every step may be taken again with the same effect, so a call that broke off may be sent
        again with its key.

        Args:
            asked: what is submitted.
            drawn: the folder and the webhook's secret, unless an earlier call has drawn them.
            principal: who calls.
            idempotency_key: by which a caller asks again; None where they do not.

        Raises:
            InvalidName, NotFound: there is no such model, alias or version, or no such object.
            UnfitInput: the webhook is none that can be called.
            TooLarge: the object cannot be copied.
            IdempotencyMismatch: the key came before with something else.
        """
        self.door.manifest(asked.target)
        original = asked.original and self.copies.found(asked.original)
        _webhook(asked, drawn)
        if idempotency_key is not None:
            drawn = self.idempotency.first(principal, idempotency_key, asked.canonical, drawn)
        key = asked.key(drawn.folder)
        ticket = Ticket(asked.joined, _webhook(asked, drawn), asked.deadline_s)
        if ticket != Ticket():  # before there can be a file: its event may be there at once
            self.tickets.put(key, ticket)
        if original is None:
            answer = self.door.upload(key).to_dict()
        else:
            answer = {"job_id": self.copies.copied(original, key), "key": key}
        return answer | ({"webhook_secret": drawn.secret} if ticket.webhook else {})


def _webhook(asked: Submission, drawn: Drawn) -> Webhook | None:
    return None if asked.webhook_url is None else Webhook(asked.webhook_url, drawn.secret)
