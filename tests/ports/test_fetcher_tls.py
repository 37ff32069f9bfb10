"""The guarded client over https, against a real server with a certificate authority of its own."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opendata.edge import messages
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.ports.fetcher.port import FetchFailed, FetchLimits

LIMITS = FetchLimits(size=10_000, seconds=10.0)
HOST = "data.test"
CONFIG = """
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""


class Authority:
    """A certificate authority in a folder, made by openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ca.cnf").write_text(CONFIG)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01")
        self._openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=own -keyout ca.key -out ca.pem"
            " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        )

    def issue(
        self, name: str, host: str, *, since: str = "20200101000000Z", until: str = "20990101000000Z"
    ) -> Path:
        """A certificate with its key, in one file."""
        self._openssl(
            f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
            f" -addext subjectAltName=DNS:{host} -config ca.cnf"
        )
        self._openssl(
            f"ca -batch -notext -config ca.cnf -startdate {since} -enddate {until} -in {name}.csr -out {name}.crt"
        )
        return self._joined(name)

    def self_signed(self, name: str, host: str) -> Path:
        self._openssl(
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {name}.key"
            f" -out {name}.crt -addext subjectAltName=DNS:{host}"
        )
        return self._joined(name)

    def _joined(self, name: str) -> Path:
        both = self.folder / f"{name}.pem"
        both.write_text("".join((self.folder / f"{name}.{part}").read_text() for part in ("crt", "key")))
        return both

    def _openssl(self, command: str) -> None:
        done = subprocess.run(
            ["openssl", *command.split()], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificates can be made")
    return Authority(tmp_path_factory.mktemp("authority"))


class Answers(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        Answers.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a,b\n1,2\n")

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that refuses the certificate hangs up."""


Serve = Callable[[Path | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server with that certificate (None: plain http); its port."""
    servers: list[Server] = []

    def start(certificate: Path | None) -> int:
        server = Server(("127.0.0.1", 0), Answers)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return int(server.server_port)

    Answers.asked = 0
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every name means; addresses themselves stay what they are."""
    known = ["127.0.0.1"]
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **more: Any) -> Any:
        if host[0].isdigit():
            return real(host, port, *args, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def fetch(port: int, host: str = HOST) -> bytes:
    found = bytearray()
    GuardedFetcher([f"{host}:{port}"]).fetch(f"https://{host}:{port}/a.csv", found.extend, LIMITS)
    return bytes(found)


def refused(act: Callable[[], Any]) -> str:
    """The code, which people are told in both languages; nothing was asked of the server."""
    with pytest.raises(FetchFailed) as caught:
        act()
    for language in ("zh", "en"):
        sentence = messages.text(caught.value.code, language, caught.value.params)
        assert sentence != caught.value.code
        assert "{" not in sentence
    assert Answers.asked == 0
    return caught.value.code


@pytest.mark.usefixtures("resolver")
class TestCertificates:
    @pytest.fixture(autouse=True)
    def _trusted(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        """As an operator has a city's own authority trusted."""
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.folder / "ca.pem"))

    def test_a_good_one(self, authority: Authority, serve: Serve) -> None:
        assert fetch(serve(authority.issue("good", HOST))) == b"a,b\n1,2\n"

    def test_of_another_host(self, authority: Authority, serve: Serve) -> None:
        port = serve(authority.issue("other", "other.test"))
        assert refused(lambda: fetch(port)) == "certificate_name"

    def test_an_address_is_no_name(self, authority: Authority, serve: Serve) -> None:
        port = serve(authority.issue("named", HOST))
        assert refused(lambda: fetch(port, "127.0.0.1")) == "certificate_name"

    @pytest.mark.parametrize(
        ("name", "span"),
        [
            ("expired", {"since": "20200101000000Z", "until": "20210101000000Z"}),
            ("early", {"since": "20980101000000Z"}),
        ],
    )
    def test_out_of_date(self, authority: Authority, serve: Serve, name: str, span: dict[str, str]) -> None:
        port = serve(authority.issue(name, HOST, **span))
        assert refused(lambda: fetch(port)) == "certificate_expired"

    def test_self_signed(self, authority: Authority, serve: Serve) -> None:
        port = serve(authority.self_signed("alone", HOST))
        assert refused(lambda: fetch(port)) == "certificate_unknown"

    def test_of_an_authority_that_nobody_trusts(
        self, authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        port = serve(authority.issue("foreign", HOST))
        (tmp_path / "none.pem").touch()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        assert refused(lambda: fetch(port)) == "certificate_unknown"

    def test_no_tls_at_all(self, serve: Serve) -> None:
        port = serve(None)
        assert refused(lambda: fetch(port)) == "fetch_tls"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whoever_answers_at_the_other_end_is_looked_at_again(
    resolver: list[str], serve: Serve, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A name that means a public address, and a network that leads to this machine all the same: nothing is sent."""
    port = serve(None)
    resolver[:] = ["93.184.215.14"]
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda _address, timeout: connect(("127.0.0.1", port), timeout)
    )
    found = bytearray()
    url = f"{scheme}://{HOST}/a.csv"
    assert refused(lambda: GuardedFetcher().fetch(url, found.extend, LIMITS)) == "address_private"
    assert not found
