"""Bytes from files, directories, standard input, sockets and polled URLs."""

import gzip
import hashlib
import http.server
import io
import lzma
import os
import random
import socket
import sys
import threading
from contextlib import contextmanager

import pyarrow as pa
import pytest

from airvigil.drivers import compression
from airvigil.drivers.compression import decompressed
from airvigil.drivers.sockets import PolledSource, SocketOptions, TcpSource, open_url
from airvigil.drivers.sources import DirectorySource, StreamSource, is_url, natural_order, open_path
from airvigil.errors import ConfigError, DecodeError

CONTENT = random.Random(5).randbytes(150_000) * 3
COMPRESS = {
    "gzip": gzip.compress,
    "xz": lambda content: lzma.compress(content, preset=0),
    "zstd": lambda content: pa.compress(content, codec="zstd", asbytes=True),
    "plain": bytes,
}
COMPRESSED = ["gzip", "xz", "zstd"]


def unpack(stored):
    stream = io.BytesIO(stored)
    head = stream.read(6)
    return decompressed(stream.read, head, input_bytes=stream.tell)


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("content", [CONTENT, b"x", b""])
def test_content_comes_out_in_bounded_pieces(kind, content):
    pieces = list(unpack(COMPRESS[kind](content)))
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= compression.OUTPUT_BYTES for piece in pieces)


@pytest.mark.parametrize("kind", COMPRESSED)
def test_members_one_after_the_other_are_one_source(kind):
    assert b"".join(unpack(COMPRESS[kind](CONTENT) + COMPRESS[kind](b"more"))) == CONTENT + b"more"


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_source_that_is_cut_off_gives_what_it_has_and_then_fails(kind):
    content = b"".join(b"%07d\n" % (i * 7919 % 10**7) for i in range(120_000))
    stored = COMPRESS[kind](content)
    pieces = []
    with pytest.raises(DecodeError, match=kind):
        pieces.extend(unpack(stored[: len(stored) * 2 // 3]))
    got = b"".join(pieces)
    assert content.startswith(got)
    assert len(got) > len(content) // 3


@pytest.mark.parametrize("kind", COMPRESSED)
def test_what_follows_and_is_not_compressed_is_a_fault(kind):
    with pytest.raises(DecodeError):
        b"".join(unpack(COMPRESS[kind](b"content") + b"no such member"))


@pytest.mark.parametrize("kind", COMPRESSED)
def test_damage_is_a_decode_error(kind):
    stored = bytearray(COMPRESS[kind](CONTENT))
    stored[8:200] = bytes(192)
    with pytest.raises(DecodeError, match=kind):
        b"".join(unpack(bytes(stored)))


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_bomb_is_refused(kind, monkeypatch):
    monkeypatch.setattr(compression, "RATIO_FREE_BYTES", 1 << 20)
    monkeypatch.setattr(compression, "MAX_RATIO", 100)
    with pytest.raises(DecodeError, match="expands"):
        for _ in unpack(COMPRESS[kind](bytes(30_000_000))):
            pass


def content_of(source):
    return [b"".join(chunk for chunk, _ in document.chunks) for document in source.documents()]


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_file_is_read_by_its_content_and_hashed_as_stored(kind, tmp_path):
    path = tmp_path / "any.name"
    stored = COMPRESS[kind](CONTENT)
    path.write_bytes(stored)
    source = open_path(str(path))
    assert (source.bytes_total, source.bytes_read, source.sha256) == (len(stored), 0, None)
    assert content_of(source) == [CONTENT]
    assert (source.bytes_read, source.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())
    source.close()


def test_draining_a_damaged_file_gives_its_digest(tmp_path):
    path = tmp_path / "x.gz"
    stored = b"\x1f\x8b" + bytes(300_000)
    path.write_bytes(stored)
    source = open_path(str(path))
    with pytest.raises(DecodeError):
        content_of(source)
    source.drain()
    assert source.sha256 == hashlib.sha256(stored).hexdigest()
    source.close()


def test_a_directory_is_read_in_the_order_people_expect(tmp_path):
    for name in ("s_10.json", "s_9.json", ".hidden", "s_1.json"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "folder").mkdir()
    source = open_path(str(tmp_path))
    assert isinstance(source, DirectorySource)
    assert content_of(source) == [b"s_1.json", b"s_9.json", b"s_10.json"]
    assert source.bytes_read == source.bytes_total == 25
    listing = "".join(
        f"{hashlib.sha256(n.encode()).hexdigest()}  {n}\n" for n in ("s_1.json", "s_9.json", "s_10.json")
    )
    assert source.sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_names_with_and_without_numbers_can_be_compared():
    names = ["b", "a10", "a9b", "a9", "10", "9", ""]
    assert sorted(names, key=natural_order) == ["", "a9", "a9b", "a10", "b", "9", "10"]


def test_standard_input(monkeypatch):
    stored = gzip.compress(CONTENT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stored)))
    source = open_path("-")
    assert content_of(source) == [CONTENT]
    assert (source.bytes_total, source.sha256) == (None, hashlib.sha256(stored).hexdigest())


def test_what_is_not_there_is_a_config_error_with_the_forms_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match="no such file") as caught:
        open_path(str(tmp_path / "missing.bin"))
    assert "tcp+beast://" in caught.value.hint
    with pytest.raises(ConfigError, match="empty directory"):
        open_path(str(tmp_path))


def test_a_file_that_goes_away_is_a_decode_error(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    source = open_path(f"file://{path}")
    path.unlink()
    assert isinstance(source, StreamSource)
    with pytest.raises(DecodeError):
        content_of(source)


@pytest.mark.parametrize(
    ("spec", "format_name", "sensor"),
    [("tcp+beast://localhost:30005", "beast", None), ("tcp+raw://10.0.0.1", "raw", None), ("tcp+sbs://[::1]:30003/", "sbs", None),
     ("tcp+sbs://roof.example:30003@north roof", "sbs", "north roof"), ("http://localhost/aircraft.json", None, None)],
)  # fmt: skip
def test_urls(spec, format_name, sensor):
    source = open_url(spec, SocketOptions())
    assert is_url(spec)
    assert (source.stated_format, source.sensor, source.is_live) == (format_name, sensor, True)


@pytest.mark.parametrize(
    "spec",
    [
        "tcp://host:30005",
        "tcp+asterix://host:1",
        "tcp+beast://",
        "tcp+beast://host:99999",
        "ftp://host/x",
        "tcp+beast://a b:x",
    ],
)
def test_urls_that_cannot_be_are_config_errors(spec):
    with pytest.raises(ConfigError):
        open_url(spec, SocketOptions())


@contextmanager
def port_that_sends(*connections):
    """A loopback port that answers each connection with some bytes and closes it."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve():
        for content in connections:
            connection, _ = server.accept()
            with connection:
                connection.sendall(content)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        thread.join(10)
        server.close()


def test_a_port_is_read_and_read_again_when_it_closes():
    options = SocketOptions(first_wait_s=0.01, clock_ns=lambda: 77)
    with port_that_sends(b"one", b"two" * 50_000) as port:
        source = TcpSource(f"tcp+beast://127.0.0.1:{port}", options)
        got = []
        for document in source.documents():
            chunks = list(document.chunks)
            assert {time for _, time in chunks} == {77}
            got.append(b"".join(chunk for chunk, _ in chunks))
            if len(got) == 2:
                options.stop.set()
    assert got == [b"one", b"two" * 50_000]
    assert source.bytes_read == 150_003


def test_a_silent_port_ticks_and_is_given_up(monkeypatch):
    monkeypatch.setattr("airvigil.drivers.sockets.TICK_S", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = SocketOptions(idle_s=0.1, clock_ns=lambda: 77)
        source = TcpSource(f"tcp+sbs://127.0.0.1:{server.getsockname()[1]}", options)
        chunks = list(next(source.documents()).chunks)
        source.close()
    assert len(chunks) >= 2
    assert set(chunks) == {(b"", 77)}


def test_a_port_that_refuses_is_tried_again_and_then_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = SocketOptions(max_failures=3, first_wait_s=0.01)
    with pytest.raises(ConfigError, match="cannot connect"):
        next(TcpSource(f"tcp+beast://127.0.0.1:{port}", options).documents())


@contextmanager
def web_server(answers):
    """A loopback web server that gives these answers in turn: bytes, or a status number."""
    rest = iter(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = next(rest, 500)
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            if not isinstance(answer, int):
                self.wfile.write(answer)

        def log_message(self, *_):
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/data/aircraft.json"
        finally:
            server.shutdown()
            thread.join(10)


def test_a_url_is_polled_and_a_failed_poll_is_not_the_end():
    options = SocketOptions(poll_interval_s=0.01, first_wait_s=0.01, max_failures=5, clock_ns=lambda: 77)
    got = []
    with web_server([b"first", 503, gzip.compress(b"second")]) as url:
        source = PolledSource(url, options)
        for document in source.documents():
            got.append(b"".join(chunk for chunk, _ in document.chunks))
            if len(got) == 2:
                options.stop.set()
    assert got == [b"first", b"second"]


def test_an_answer_beyond_the_bound_is_refused():
    options = SocketOptions(poll_interval_s=0.01, max_failures=1, max_document_bytes=1000)
    with web_server([bytes(2000)]) as url, pytest.raises(ConfigError, match="longer than 1,000 bytes"):
        next(PolledSource(url, options).documents())


def test_a_named_pipe_has_no_size(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert StreamSource(path).bytes_total is None
