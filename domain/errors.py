"""Everything that can go wrong and how the caller should take it: reject, retry, or mend the set-up."""


class SpotclaimError(Exception):
    """Base of every error that Spotclaim raises on purpose."""


class MalformedMessage(SpotclaimError):
    """The message cannot be understood and goes to quarantine.

    `code` is a stable upper-case word for metrics and filters; `sentence` tells a person what is wrong; `pointer`
    (RFC 6901) says where in the message, and is empty for the whole of it.
    """

    def __init__(self, code: str, sentence: str, pointer: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.pointer = pointer


class NotFound(SpotclaimError):
    """No such claim, token or message."""


class NotAllowed(SpotclaimError):
    """Whoever asks may not do this."""


class Conflict(SpotclaimError):
    """The claim's present state does not allow the action; the text says what it does allow."""


class NoteRefused(SpotclaimError):
    """What was to be said with a decision is missing, or cannot be kept; the text says which."""


class KeyReused(SpotclaimError):
    """The idempotency key stands for another request."""


class EvidenceRefused(SpotclaimError):
    """This cannot be evidence. `code` is a stable upper-case word; `sentence` says what is wrong and the mend."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class EvidenceTooLarge(EvidenceRefused):
    """A file or a request beyond the limit that the text names."""


class MediaTypeRefused(EvidenceRefused):
    """A file of a type that is not taken, or that is not of the type it is said to be."""


class TransientError(SpotclaimError):
    """A server is away or busy. Nothing was changed; the same call may succeed later."""


class FileDamaged(SpotclaimError):
    """A file cannot be read from some place on. What stands before that place was read."""


class LogBroken(SpotclaimError):
    """The log of audit events is not what it was when it was signed; `spotclaim audit verify` says where."""


class SetupError(SpotclaimError):
    """A setting, a server's address or the policy is wrong. One line: what, and the mend."""
