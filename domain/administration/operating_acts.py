"""Defines what is done to run the system: silences, destinations, quarantine, policy, keys."""

from typing import Final

from domain.administration.act import Act
from domain.administration.things import LoadedPolicy, Message, MeterKey, Mute, SigningKey, StoredDestination

_CONDITIONS: Final = ("codes", "severities", "claim_types", "zones", "destinations")


class _OfSilence(Act):
    __slots__ = ()
    RECORD, THING = Mute, "silence"

    @property
    def _what(self) -> str:
        named = {name: self.columns[name] for name in _CONDITIONS if self.columns[name]}
        words = [f"{name.replace('_', ' ')} {', '.join(values)}" for name, values in named.items()]
        return "; ".join(words) or "everything"


class SilenceMade(_OfSilence):
    """Notifications were muted for a while."""

    __slots__ = ()
    KIND = "administration.silence_made"

    @property
    def sentence(self) -> str:
        return f"silenced {self._what} from {self._minute('starts_at')} until {self._minute('ends_at')}"

    @property
    def remark(self) -> str:
        return str(self.columns["why"])


class SilenceEnded(_OfSilence):
    """A silence was ended before its time."""

    __slots__ = ()
    KIND = "administration.silence_ended"

    @property
    def sentence(self) -> str:
        return f"ended the silence of {self._what}"


class SilenceRestated(_OfSilence):
    """A silence from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.silence_restated"


class _OfDestination(Act):
    __slots__ = ()
    RECORD, THING = StoredDestination, "destination"


class DestinationAdded(_OfDestination):
    """A destination was added, or got a new URL."""

    __slots__ = ()
    KIND = "administration.destination_added"

    @property
    def sentence(self) -> str:
        return "added the destination {name}, {shown}".format_map(self.columns)


class DestinationTested(_OfDestination):
    """A test message was sent to a destination."""

    __slots__ = ()
    KIND = "administration.destination_tested"

    @property
    def sentence(self) -> str:
        return "tested the destination {name}, {shown}".format_map(self.columns)


class DestinationRemoved(_OfDestination):
    """A destination was removed, or its URL replaced."""

    __slots__ = ()
    KIND = "administration.destination_removed"

    @property
    def sentence(self) -> str:
        return "removed the destination {name}, {shown}".format_map(self.columns)


class DestinationRestated(_OfDestination):
    """A destination from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.destination_restated"


class _OfMessage(Act):
    __slots__ = ()
    RECORD, THING = Message, "message in quarantine"

    @property
    def _as(self) -> str:
        return " as edited" if self.columns["edited_digest"] else ""

    @property
    def remark(self) -> str:
        return str(self.columns["settled_why"])


class MessageReplayed(_OfMessage):
    """A message left quarantine and was taken in."""

    __slots__ = ()
    KIND = "administration.message_replayed"

    @property
    def sentence(self) -> str:
        return f"replayed a message that was refused as {self.columns['reason']}{self._as}"


class MessageRefused(_OfMessage):
    """A replay was refused; the message stays in quarantine."""

    __slots__ = ()
    KIND = "administration.message_refused"

    @property
    def sentence(self) -> str:
        return f"replayed a message{self._as}, which was refused as {self.columns['reason']}"


class MessageDiscarded(_OfMessage):
    """A message in quarantine was discarded for good."""

    __slots__ = ()
    KIND = "administration.message_discarded"

    @property
    def sentence(self) -> str:
        return f"discarded a message that was refused as {self.columns['reason']}"


class MessageRestated(_OfMessage):
    """A decision on a message from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.message_restated"

    @property
    def remark(self) -> str:
        return ""


class _OfPolicy(Act):
    __slots__ = ()
    RECORD, THING = LoadedPolicy, "policy"


class PolicyLoaded(_OfPolicy):
    """A version of the policy took effect, for the first time or in place of another."""

    __slots__ = ()
    KIND = "administration.policy_loaded"

    @property
    def sentence(self) -> str:
        return f"loaded the policy's version {self.columns['name']}, digest {self.columns['digest'][:16]}"


class PolicyRestated(_OfPolicy):
    """A version of the policy from before such acts were on record."""

    __slots__ = ()
    KIND = "administration.policy_restated"


class KeyReplaced(Act):
    """Another key may sign checkpoints from now on."""

    __slots__ = ()
    RECORD, THING = SigningKey, "signing key"
    KIND = "administration.key_replaced"

    @property
    def sentence(self) -> str:
        return "let the key {key} sign checkpoints in place of {previous}".format_map(self.columns)

    @property
    def remark(self) -> str:
        return str(self.columns["reason"])


class _OfMeterKey(Act):
    __slots__ = ()
    RECORD, THING = MeterKey, "public key of a meter"

    @property
    def _what(self) -> str:
        connector = self.columns["connector_id"]
        where = f" / {connector}" if connector else ""
        return f"{self.columns['public_key'][-16:]} for spot {self.columns['spot_id']}{where}"


class MeterKeyPinned(_OfMeterKey):
    """The public key of a spot's meter was pinned."""

    __slots__ = ()
    KIND = "administration.meter_key_pinned"

    @property
    def sentence(self) -> str:
        return f"pinned the public key …{self._what}"

    @property
    def remark(self) -> str:
        return str(self.columns["reason"])


class MeterKeyRemoved(_OfMeterKey):
    """The public key of a spot's meter was removed, or replaced by another."""

    __slots__ = ()
    KIND = "administration.meter_key_removed"

    @property
    def sentence(self) -> str:
        return f"removed the public key …{self._what}"

    @property
    def remark(self) -> str:
        return str(self.columns["removed_why"])


EVENTS: Final[tuple[type[Act], ...]] = (
    SilenceMade,
    SilenceEnded,
    SilenceRestated,
    DestinationAdded,
    DestinationTested,
    DestinationRemoved,
    DestinationRestated,
    MessageReplayed,
    MessageRefused,
    MessageDiscarded,
    MessageRestated,
    PolicyLoaded,
    PolicyRestated,
    KeyReplaced,
    MeterKeyPinned,
    MeterKeyRemoved,
)
