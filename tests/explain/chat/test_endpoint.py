"""An endpoint that is slow, failing, rate-limiting or lying: a real HTTP server in each test."""

import email.utils
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from speaking_server import Misdeed, Server, completion

from tymbal.errors import EndpointError
from tymbal.explain.chat import Cached, Digits, Endpoint, EndpointConfig, Fields, Question, Usage, ask

FORM = Digits(2)
RIGHT = '{"answers": [3, 7]}'


def question(number: int = 0) -> Question:
    return Question(instructions="Answer.", prompt=f"question {number}", form=FORM)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda body: RIGHT).running() as running:
        yield running


def config(server: Server, **more) -> EndpointConfig:
    quick = {"first_wait": 0.01, "longest_wait": 1.0, "timeout": 5.0, "concurrency": 1}
    return EndpointConfig(**{"url": server.url, "model": "scripted", **quick, **more})


def replies(server: Server, questions: list[Question], **more):
    return list(ask(Endpoint(config(server, **more)), questions))


def test_an_answer_comes_back_as_the_form_reads_it(server: Server):
    (reply,) = replies(server, [question()])
    assert reply.answer.values == [3.0, 7.0]
    assert (reply.failures, reply.reason) == (0, "")
    (body,) = server.bodies
    assert body["model"] == "scripted"
    assert body["response_format"]["json_schema"]["schema"] == FORM.schema()
    assert [message["content"] for message in body["messages"]] == ["Answer.", "question 0"]


def test_the_key_is_sent_and_stands_nowhere_on_disk(server: Server, tmp_path: Path):
    client = Cached(Endpoint(config(server), key="sk-secret"), tmp_path)
    list(ask(client, [question()]))
    assert server.keys == ["Bearer sk-secret"]
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any("sk-secret" in text for text in [*written, json.dumps(client.identity())])


@pytest.mark.parametrize(
    "misdeed",
    [
        Misdeed(status=500, content=b"overloaded"),
        Misdeed(status=503),
        Misdeed(hang_up=True),
        Misdeed(content=b"<html>not JSON</html>"),
        Misdeed(content=b"{}"),
        Misdeed(content=b'{"choices": [{"message": {"content": 7}}]}'),
        Misdeed(content=b'{"choices": "\xff\xfe"}'),
        Misdeed(content=b"[" * 100_000),
        Misdeed(content=b'{"choices": [', headers={"content-length": "5000"}),
        Misdeed(content=completion(RIGHT), headers={"content-encoding": "gzip"}),
        Misdeed(content=b""),
        Misdeed(content=completion(RIGHT), delay=0.6),
        Misdeed(content=completion(RIGHT), drip=0.1),
    ],
    ids=lambda deed: f"{deed.status}-{deed.content[:12]!r}-{deed.delay}-{deed.drip}-{deed.hang_up}",
)
def test_what_may_pass_is_tried_again(server: Server, misdeed: Misdeed):
    server.misdeeds = [misdeed, misdeed]
    (reply,) = replies(server, [question()], timeout=0.3)
    assert reply.answer.values == [3.0, 7.0]
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yes",
        '{"answers": [3, 7',
        '{"answers": [3]}',
        '{"answers": [3, 12]}',
        '{"answers": [3, true]}',
        '{"answers": [3, 7.5]}',
        '{"other": [3, 7]}',
        '["answers"]',
        '{"answers": ' + "[" * 5000 + "}",
    ],
)
def test_an_answer_that_cannot_be_read_is_asked_for_once_more_and_counted(server: Server, text: str | None):
    server.misdeeds = [Misdeed(content=completion(text))]
    (reply,) = replies(server, [question()])
    assert (reply.answer.values, reply.failures) == ([3.0, 7.0], 1)
    server.misdeeds = [Misdeed(content=completion(text))] * 2
    (reply,) = replies(server, [question()])
    assert (reply.answer, reply.failures) == (None, 2)
    assert reply.reason
    assert not reply.unanswered


def test_an_answer_in_a_fence_or_after_thoughts_is_read(server: Server):
    for around in ("```json\n%s\n```", "<think>{is it 3?}</think>%s", "Here it is: %s"):
        server.speaker = lambda body, around=around: around % RIGHT
        (reply,) = replies(server, [question()])
        assert (reply.answer.values, reply.failures) == ([3.0, 7.0], 0)


def test_texts_lose_what_cannot_be_written_or_seen(server: Server):
    form = Fields(("label",), {"category": ("word", "unclear")}, longest=20)
    server.speaker = lambda body: '{"category": "word", "label": "a\\ud800b\\u0000c\\u202ed\\n' + "x" * 50 + '"}'
    (reply,) = replies(server, [Question(instructions="", prompt="", form=form)])
    label = reply.answer["label"]
    label.encode("utf-8")
    assert label.isprintable()
    assert len(label) <= 20


def test_an_endless_answer_is_given_up(server: Server):
    server.misdeeds = [Misdeed(content=b" " * (5 << 20))]
    first, second = replies(server, [question(0), question(1)])
    assert (first.answer, first.failures, first.unanswered) == (None, 1, True)
    assert second.answer is not None


def test_a_prompt_that_is_refused_leaves_the_others_be(server: Server):
    refused = Misdeed(status=400, content=b'{"error": "context length exceeded"}')
    server.every = lambda body: refused if "question 1" in body["messages"][1]["content"] else None
    found = replies(server, [question(number) for number in range(3)])
    assert [reply.answer is None for reply in found] == [False, True, False]
    assert "context length" in found[1].reason
    assert len(server.bodies) == 3


def test_the_wait_that_a_server_asks_for_is_kept_by_all_threads(server: Server):
    # The second answer comes late, so that whoever waits for it asks again only after the first has been understood.
    server.misdeeds = [Misdeed(status=429, headers={"retry-after": "0.5"}), Misdeed(status=503, delay=0.2)]
    found = replies(server, [question(number) for number in range(4)], concurrency=2)
    assert all(reply.answer for reply in found)
    late = sorted(moment - server.times[0] for moment in server.times)[2:]
    assert min(late) >= 0.45


def test_a_date_to_wait_for_is_understood_and_cut_to_the_longest_wait(server: Server):
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    server.misdeeds = [Misdeed(status=429, headers={"retry-after": date})]
    begin = time.monotonic()
    (reply,) = replies(server, [question()], longest_wait=0.3)
    assert reply.answer is not None
    assert 0.25 <= time.monotonic() - begin < 3


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_what_no_wait_can_mend_is_said_in_one_line_at_once(server: Server, status: int):
    server.every = lambda body: Misdeed(status=status, content=b"bad\nkey")
    with pytest.raises(EndpointError, match=f"got {status} bad key; check the address") as raised:
        replies(server, [question(number) for number in range(9)])
    assert "\n" not in str(raised.value)
    assert len(server.bodies) <= 2


def test_nobody_at_the_address_is_said_in_one_line():
    client = Endpoint(EndpointConfig(url="http://127.0.0.1:9/v1", model="none", tries=2, first_wait=0.01))
    with pytest.raises(EndpointError, match="expected none to answer; got ConnectError"):
        list(ask(client, [question(number) for number in range(20)]))


def test_no_more_are_under_way_than_allowed_and_replies_keep_their_order(server: Server):
    server.delay = 0.02
    server.speaker = lambda body: json.dumps({"answers": [int(body["messages"][1]["content"].split()[1]) % 10, 0]})
    found = replies(server, [question(number) for number in range(30)], concurrency=3)
    assert [reply.answer.values[0] for reply in found] == [number % 10 for number in range(30)]
    assert server.most_under_way == 3


def test_a_request_is_never_paid_twice(server: Server, tmp_path: Path):
    server.delay = 0.05
    questions = [question(number % 4) for number in range(12)]
    first, second = Usage(), Usage()
    asked = list(ask(Cached(Endpoint(config(server, concurrency=6)), tmp_path), questions, first))
    assert (len(server.bodies), first.calls, first.cached, first.tokens_in) == (4, 4, 8, 400)
    again = list(ask(Cached(Endpoint(config(server)), tmp_path), questions, second))
    assert again == asked
    assert (len(server.bodies), second.calls, second.cached) == (4, 0, 12)


def test_unreadable_answers_are_paid_once_too(server: Server, tmp_path: Path):
    server.speaker = lambda body: "no"
    for _ in range(2):
        (reply,) = ask(Cached(Endpoint(config(server)), tmp_path), [question()])
        assert (reply.answer, reply.failures) == (None, 2)
    assert len(server.bodies) == 2


def test_a_damaged_file_of_the_cache_is_asked_for_again(server: Server, tmp_path: Path):
    client = Cached(Endpoint(config(server)), tmp_path)
    list(ask(client, [question()]))
    (kept,) = list(tmp_path.rglob("*.json"))
    for damage in ("{", "[]", '{"request": 1}', kept.read_text().replace("text", "tixt")):
        kept.write_text(damage)
        (reply,) = ask(client, [question()])
        assert reply.answer is not None
    assert len(server.bodies) == 5


def test_work_done_before_a_server_breaks_down_is_kept(server: Server, tmp_path: Path):
    broken = threading.Event()

    def breaks_down(_) -> Misdeed | None:
        if len(server.bodies) > 6:
            broken.set()
        return Misdeed(status=500) if broken.is_set() else None

    server.every = breaks_down
    questions = [question(number) for number in range(20)]
    with pytest.raises(EndpointError, match="the answers so far are kept"):
        list(ask(Cached(Endpoint(config(server, tries=2)), tmp_path), questions))
    before = len(server.bodies)
    server.every = lambda body: None
    found = list(ask(Cached(Endpoint(config(server)), tmp_path), questions))
    assert all(reply.answer for reply in found)
    assert len(server.bodies) - before == 14


KILLED = """
import sys
from pathlib import Path
from tymbal.explain.chat import Cached, Digits, Endpoint, EndpointConfig, Question, ask
client = Cached(Endpoint(EndpointConfig(url=sys.argv[1], model="scripted", concurrency=1)), Path(sys.argv[2]))
questions = [Question(instructions="Answer.", prompt=f"question {n}", form=Digits(2)) for n in range(40)]
list(ask(client, questions))
"""


def test_a_killed_process_pays_again_only_for_what_was_under_way(server: Server, tmp_path: Path):
    server.delay = 0.05
    process = subprocess.Popen([sys.executable, "-c", KILLED, server.url, str(tmp_path)])
    while server.answered < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    time.sleep(0.2)
    paid, server.delay = server.answered, 0.0
    assert paid < 40
    list(ask(Cached(Endpoint(config(server)), tmp_path), [question(number) for number in range(40)]))
    assert 40 <= len(server.bodies) <= 41


def test_a_question_that_breaks_the_server_each_time_is_counted_while_others_are_answered(server: Server):
    server.every = lambda body: Misdeed(status=500) if "question 1" in body["messages"][1]["content"] else None
    found = replies(server, [question(number) for number in range(3)], tries=3)
    assert [reply.answer is None for reply in found] == [False, True, False]
    assert "after 3 tries" in found[1].reason


def test_a_server_that_refuses_everything_ends_the_work(server: Server):
    server.every = lambda body: Misdeed(status=400, content=b"json_schema is not supported")
    with pytest.raises(EndpointError, match="json_schema is not supported"):
        replies(server, [question(number) for number in range(9)])


def test_log_probabilities_make_whole_digits_graded(server: Server):
    def token(text: str, *others: tuple[str, float]) -> dict:
        top = [{"token": own, "logprob": value} for own, value in others]
        return {"token": text, "logprob": others[0][1], "top_logprobs": top}

    half = -0.6931471805599453
    content = [token('{"answers": [', ('{"answers": [', 0.0)), token("3", ("3", half), ("5", half))]
    content += [token(", ", (", ", 0.0)), token(" 7", (" 7", half), ("x", half)), token("]}", ("]}", 0.0))]
    server.misdeeds = [Misdeed(content=completion(RIGHT, logprobs={"content": content}))]
    (reply,) = replies(server, [question()])
    assert reply.answer.graded
    assert reply.answer.values == pytest.approx([4.0, 7.0])
    assert server.bodies[0]["logprobs"] is True


@pytest.mark.parametrize("told", [{"content": None}, {"content": [{}]}, {"content": [{"token": "3"}]}, "x", 3])
def test_log_probabilities_that_make_no_sense_leave_whole_digits(server: Server, told):
    server.misdeeds = [Misdeed(content=completion(RIGHT, logprobs=told))]
    (reply,) = replies(server, [question()])
    assert (reply.answer.values, reply.answer.graded, reply.failures) == ([3.0, 7.0], False, 0)
