"""For many readers: two processes behind one address, and a server that is full."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.benchmarks.visit import Visit, websocket
from tests.e2e.live import free_port, serve, server_of, wait_until_healthy

PLACE = "/visualizer?q=The+dog+ran+home+as+it+was+late&word=6&layer=3&head=5"


def pump(source, target):
    """Pass on what comes, and then that nothing more does."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def connect(reader, port):
    """Pass on both ways until either side is done."""
    with reader, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=pump, args=(server, reader))
        back.start()
        pump(reader, server)
        back.join()


@contextmanager
def behind_one_address(ports):
    """Pass connections on to the servers in turn: neighbours in time go to different ones."""
    turns, served, open_ones = cycle(ports), dict.fromkeys(ports, 0), []

    def accept(front):
        with suppress(OSError):
            while True:
                reader, _ = front.accept()
                port = next(turns)
                served[port] += 1
                open_ones.append(threading.Thread(target=connect, args=(reader, port)))
                open_ones[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as front:
        accepting = threading.Thread(target=accept, args=(front,))
        accepting.start()
        yield f"http://127.0.0.1:{front.getsockname()[1]}", served
        front.shutdown(socket.SHUT_RDWR)
        accepting.join()
    for one in open_ones:
        one.join(10)


def port_of(url):
    return int(url.rpartition(":")[2])


@pytest.fixture
def two_servers(tmp_path):
    """Run two; ask for them before `open_page`, so that they outlive the pages."""
    with (
        serve(tmp_path / "one") as one,
        serve(tmp_path / "other") as other,
        behind_one_address((port_of(one), port_of(other))) as (url, served),
    ):
        yield (one, other), url, served


def said(page):
    return page.get_by_test_id("stAlert").first.inner_text()


def test_any_process_answers_any_link(two_servers, open_page):
    each, url, served = two_servers
    (told,) = {said(open_page(PLACE, base=one)) for one in each}
    assert "L3 H5" in told
    for _ in range(2):  # every file of a page comes from one or the other
        page = open_page(PLACE, base=url)
        assert said(page) == told
        assert page.url == url + PLACE
    assert min(served.values()) > 0


def test_a_server_says_that_it_is_well(server):
    with urlopen(f"{server}/_stcore/health") as answer:
        assert answer.read() == b"ok"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs what Linux tells")
def test_nothing_is_watched_for_each_reader(fresh_server, open_page):
    """What a page has loaded was watched for all who came: fifty at once waited for minutes."""
    open_page("/visualizer", base=fresh_server)
    opened = Path("/proc", str(server_of(fresh_server).pid), "fd").iterdir()
    assert not [file for file in opened if "inotify" in str(file.readlink())]


def test_a_server_for_all_addresses_asks_no_other_machine(tmp_path):
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "attention", "serve", "--no-browser"]
    command += ["--host", "0.0.0.0", "--port", str(port)]
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, log.open("wb") as output:
        proxy = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        surroundings = {key: of for key, of in os.environ.items() if key.lower() != "no_proxy"}
        surroundings |= dict.fromkeys(("http_proxy", "https_proxy"), proxy)
        server = subprocess.Popen(command, env=surroundings, stdout=output, stderr=output)
        try:
            wait_until_healthy(server, f"http://127.0.0.1:{port}", log)
            while f":{port}" not in log.read_text() and server.poll() is None:
                time.sleep(0.05)
        finally:
            server.terminate()
            server.wait(30)
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            elsewhere.accept()


def test_whoever_comes_after_a_reader_who_has_left_a_long_measurement_need_not_wait(server):
    with websocket(server) as connection:
        gone = Visit(connection, "learning", "trial_seeds=5&trial_steps=1000&trial_books=8")
        gone.open()
        assert any("progress {" in str(delta) for delta in gone.pressing("Measure"))
    with websocket(server) as connection:
        visit = Visit(connection, "scaling", "n=512&repeats=3")
        visit.open()
        said = str(list(visit.pressing("Measure")))
    assert "Measured on this machine" in said
    assert "Another reader is measuring" not in said


def begin_survey(connection, texts):
    visit = Visit(connection, "survey", "survey_model=minilm")
    visit.open()
    visit.upload("Texts", "texts.txt", "\n".join(texts).encode())
    visit.press("Survey")
    return visit


def test_a_survey_does_not_go_on_for_a_reader_who_has_left(server):
    with websocket(server) as connection:
        begin_survey(connection, ["the cat sat " * 100] * 66)
    with websocket(server) as connection:
        visit = begin_survey(connection, ["The cat sat on the mat."])
        for _ in range(60):
            time.sleep(1)
            visit.open()
            if any(delta.new_element.HasField("download_button") for delta in visit.deltas):
                break
        else:
            pytest.fail("the survey of a reader who has left goes on")


def test_a_server_that_is_full_says_so_and_has_room_again(tmp_path, browser, monkeypatch):
    monkeypatch.setenv("ATTENTION_MOST_READERS", "1")
    with serve(tmp_path / "log") as url:
        first, second = browser.new_context(), browser.new_context()
        inside, outside = first.new_page(), second.new_page()
        inside.goto(f"{url}/visualizer")
        inside.get_by_role("heading", name="Visualizer").wait_for(timeout=60_000)
        outside.goto(f"{url}/visualizer")
        outside.get_by_text("This server has its 1 readers").wait_for(timeout=60_000)
        assert outside.get_by_role("heading", name="Visualizer").count() == 0
        first.close()
        for _ in range(30):
            outside.reload()
            outside.wait_for_timeout(1000)
            if outside.get_by_role("heading", name="Visualizer").count():
                break
        else:
            pytest.fail("nobody is let in after the first reader has left")
        second.close()
