"""Defines every error raised on purpose, by what the caller should do.

That is to reject the message or request, to try again, or to have the set-up corrected.
"""


class SpotclaimError(Exception):
    """Base of every error that Spotclaim raises on purpose."""


class MalformedMessage(SpotclaimError):
    """The message cannot be understood and goes to quarantine.

    `code` is a stable upper-case word for metrics and filters; `sentence` says for people what is wrong; `pointer`
    (RFC 6901) says where in the message, and is empty for the whole of it.
    """

    def __init__(self, code: str, sentence: str, pointer: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.pointer = pointer


class NotFound(SpotclaimError):
    """There is no such claim, token or message."""


class NotAllowed(SpotclaimError):
    """The person or program that asks may not do this."""


class Conflict(SpotclaimError):
    """The claim's present state does not allow the action; the text says what is allowed."""


class NoteRefused(SpotclaimError):
    """The note of a decision is missing, or cannot be stored; the text says which."""


class InputRefused(SpotclaimError):
    """What a person asks for names something that there is not, or lacks something.

    `code` is a stable upper-case word; `sentence` says what is wrong and how to correct it.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class KeyReused(SpotclaimError):
    """The idempotency key is bound to another request."""


class EvidenceRefused(SpotclaimError):
    """This cannot be evidence.

    `code` is a stable upper-case word; `sentence` says what is wrong and how to correct it; `pointer` (RFC 6901)
    says in which field, if it is one.
    """

    def __init__(self, code: str, sentence: str, pointer: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.pointer = pointer


class EvidenceTooLarge(EvidenceRefused):
    """A file or a request exceeds the limit that the text names."""


class MediaTypeRefused(EvidenceRefused):
    """A file's type is not accepted, or is not what its sender declared."""


class TransientError(SpotclaimError):
    """A server is away or busy.

    Nothing was changed; the same call may succeed later.
    """


class FileDamaged(SpotclaimError):
    """A file cannot be read beyond some place; what comes before it was read."""


class LogBroken(SpotclaimError):
    """The log of audit events has changed since it was signed.

    `spotclaim audit verify` says where.
    """


class SetupError(SpotclaimError):
    """A setting, a server's address or the policy is wrong.

    One line says what, and how to correct it.
    """


class WrongKey(SetupError):
    """The key that is to sign checkpoints is gone, or another one is in its place."""
