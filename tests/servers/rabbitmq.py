"""RabbitMQ with its management API, beside whatever other RabbitMQ runs on the machine."""

import http.client
from base64 import b64encode
from pathlib import Path

from tests.servers.child import Child
from tests.servers.loopback import HOST, REPLY_SECONDS, free_port, listening, reply
from tests.servers.server import Server, ServerFailed, environment, program
from tests.servers.waiting import wait_until

# Debian's command in PATH changes to the account of the machine's own RabbitMQ; this one does not.
PLACES = ("/usr/lib/rabbitmq/bin",)
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"


class RabbitMQServer(Server):
    """A RabbitMQ node, and the Erlang port mapper that it needs, as our own process."""

    name = "RabbitMQ"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.management_port = free_port()
        self._distribution_port = free_port()
        self._epmd_port = free_port()
        self._program = program("rabbitmq-server", "rabbitmq-server", *PLACES)
        self._epmd = program("epmd", "erlang-base")

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{HOST}:{self.port}/%2F"

    @property
    def api_url(self) -> str:
        return f"http://guest:guest@{HOST}:{self.management_port}/api"

    def answers(self) -> bool:
        return reply(self.port, AMQP_HEADER).startswith(METHOD_FRAME) and self._management_answers()

    def await_on_disk(self, queue: str) -> None:
        """Wait until a new quorum queue survives a kill.

        RabbitMQ 3.10 writes the list of its quorum queues a second late. A queue that is not in it at a
        kill has no leader for ever after, and hangs every operation on it for a minute.
        """
        if not wait_until(lambda: self._lists(queue)):
            raise ServerFailed(f"{self.name} has not written quorum queue {queue} to disk")

    def _lists(self, queue: str) -> bool:
        name = f"_{queue}".encode()  # after the virtual host
        return any(name in lists.read_bytes() for lists in self._file("data").rglob("names.dets"))

    def _management_answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.management_port, timeout=REPLY_SECONDS)
        credentials = b64encode(b"guest:guest").decode()
        try:
            connection.request("GET", "/api/overview", headers={"Authorization": f"Basic {credentials}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _prepare(self) -> None:
        self._file("enabled_plugins").write_text("[rabbitmq_management].\n")
        self._file("rabbitmq.conf").write_text(
            f"management.tcp.ip = {HOST}\n"
            f"management.tcp.port = {self.management_port}\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
        )
        for name in ("data", "log", "config", "conf.d"):
            self._file(name).mkdir()

    def _launch(self) -> list[Child]:
        epmd = [self._epmd, "-port", str(self._epmd_port), "-address", HOST]
        port_mapper = Child(epmd, log=self.log, environment=environment(self.folder))
        if not wait_until(lambda: listening(self._epmd_port)):
            port_mapper.kill()
            raise ServerFailed(f"epmd did not start. Its log ends:\n{self._end_of_log()}")
        return [port_mapper, Child([self._program], log=self.log, environment=self._environment())]

    def _environment(self) -> dict[str, str]:
        return environment(
            self.folder,  # Erlang keeps its cookie there
            RABBITMQ_NODENAME=f"spotclaim-{self.port}@localhost",
            RABBITMQ_NODE_IP_ADDRESS=HOST,
            RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_DIST_PORT=str(self._distribution_port),
            RABBITMQ_MNESIA_BASE=str(self._file("data")),
            RABBITMQ_LOG_BASE=str(self._file("log")),
            RABBITMQ_PID_FILE=str(self._file("rabbitmq.pid")),
            RABBITMQ_GENERATED_CONFIG_DIR=str(self._file("config")),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self._file("enabled_plugins")),
            RABBITMQ_CONFIG_FILE=str(self._file("rabbitmq.conf")),
            RABBITMQ_CONFIG_FILES=str(self._file("conf.d")),
            RABBITMQ_ADVANCED_CONFIG_FILE=str(self._file("advanced.config")),
            RABBITMQ_CONF_ENV_FILE=str(self._file("rabbitmq-env.conf")),
            ERL_EPMD_PORT=str(self._epmd_port),
            ERL_EPMD_ADDRESS=HOST,
            ERL_FLAGS="-kernel inet_dist_use_interface {127,0,0,1}",
            RUNNING_UNDER_SYSTEMD="true",  # the script becomes the server instead of staying as its parent
        )

    def _file(self, name: str) -> Path:
        return self.folder / name
