"""Minds for the speaking server: explainers and judges that run a rule, and others that do not."""

import json
import re
from collections import Counter
from collections.abc import Callable

from speaking_server import Body, completion

from tymbal.explain import chat_explainer
from tymbal.explain.judged import detection, fuzzing, intruder, rubric, simulation

WORD = re.compile(r"“(.+?)”")
LINE = re.compile(r"^\d+\. (.*)$", re.MULTILINE)
MARKED = re.compile(r"<<(.*?)>>")


def asked(body: Body) -> str:
    """Which scorer asks."""
    modules = {"explain": chat_explainer, "detection": detection, "fuzzing": fuzzing}
    modules |= {"simulation": simulation, "intruder": intruder, "rubric": rubric}
    told = body["messages"][0]["content"]
    return next(name for name, module in modules.items() if told == module.INSTRUCTIONS)


def described(prompt: str) -> str:
    """The word that the description names."""
    return WORD.search(json.loads(prompt.split("\n")[0].removeprefix("Description: ")))[1]


def texts(prompt: str) -> list[str]:
    """The texts, or tokens, that are asked about."""
    return [json.loads(line) for line in LINE.findall(prompt)]


def perfect(body: Body) -> str | bytes:
    """Runs the rule “the word “cat”” on what is shown."""
    what, prompt = asked(body), body["messages"][1]["content"]
    if what == "explain":
        return explained(body)
    shown = texts(prompt)
    if what == "intruder":
        marks = [tuple(MARKED.findall(text)) for text in shown]
        usual = Counter(mark for marked in marks for mark in set(marked)).most_common(1)[0][0]
        odd = [number for number, marked in enumerate(marks, start=1) if usual not in marked]
        return json.dumps({"answers": [odd[0] if odd else 1]})
    word = described(prompt)
    if what == "simulation":
        return graded([9 if token.strip() == word else 0 for token in shown])
    if what == "detection":
        return json.dumps({"answers": [9 * (word in re.findall(r"\w+", text)) for text in shown]})
    most = 9 if what == "fuzzing" else 3
    fits = [{mark for run in MARKED.findall(text) for mark in run.split()} == {word} for text in shown]
    return json.dumps({"answers": [most * fit for fit in fits]})


def explained(body: Body) -> str:
    """Names the word that is marked most often."""
    prompt = body["messages"][1]["content"].split("Silent all through")[0]
    words = Counter(word for run in MARKED.findall(prompt) for word in run.split())
    word = words.most_common(1)[0][0]
    said = f"the word “{word}”"
    return json.dumps({"category": "word", "label": word, "sentence": said, "lay": f"It likes {word}."})


def graded(digits: list[int]) -> bytes:
    """An answer with log-probabilities that leave no doubt."""

    def token(text: str) -> dict:
        return {"token": text, "logprob": 0.0, "top_logprobs": [{"token": text, "logprob": 0.0}]}

    content = [token('{"answers": [')]
    for digit in digits:
        content += [token(str(digit)), token(", ")]
    return completion(json.dumps({"answers": digits}), logprobs={"content": content})


def constant(digit: int) -> Callable[[Body], str | bytes]:
    """Says the same of everything."""

    def speak(body: Body) -> str | bytes:
        if asked(body) == "explain":
            return explained(body)
        items = body["response_format"]["json_schema"]["schema"]["properties"]["answers"]
        digits = [min(digit, items["items"]["enum"][-1])] * items["minItems"]
        return graded(digits) if asked(body) == "simulation" else json.dumps({"answers": digits})

    return speak


def mirrored(body: Body) -> str | bytes:
    """The opposite of the truth."""
    answer = perfect(body)
    if isinstance(answer, bytes) or "answers" not in answer:
        return answer
    most = body["response_format"]["json_schema"]["schema"]["properties"]["answers"]["items"]["enum"][-1]
    return json.dumps({"answers": [most - digit for digit in json.loads(answer)["answers"]]})


def coin(body: Body) -> str | bytes:
    """Draws its answers from a hash of what it is asked."""
    if asked(body) == "explain":
        return explained(body)
    items = body["response_format"]["json_schema"]["schema"]["properties"]["answers"]
    low, high = items["items"]["enum"][0], items["items"]["enum"][-1]
    number = sum(ord(sign) * place for place, sign in enumerate(body["messages"][1]["content"], start=7))
    digits = []
    for _ in range(items["minItems"]):
        number = (number * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        digits.append(low + (number >> 33) % (high - low + 1))
    return graded(digits) if asked(body) == "simulation" else json.dumps({"answers": digits})
