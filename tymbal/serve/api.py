"""The JSON that other programs and the pages' scripts read, under `/api`; `/api/openapi.json` describes it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from tymbal.edits import AttributionConfig, OutputToken
from tymbal.errors import ModelError, TymbalError
from tymbal.serve import answers
from tymbal.serve.data import safe_json
from tymbal.serve.exhibit import Exhibit
from tymbal.serve.judge import Judgement
from tymbal.serve.lab import Experiment, Growth
from tymbal.serve.notes import Kind
from tymbal.serve.page import NothingThereError
from tymbal.serve.pages.completeness import bins_of
from tymbal.serve.pages.explore import ROWS, State
from tymbal.serve.pages.search import MOST_PROMPTS, prompts
from tymbal.serve.prompting import LONGEST_TEXT
from tymbal.serve.reader import reader_of
from tymbal.serve.text import editable, titled

API = "/api"
WRONG: dict[int | str, dict[str, Any]] = {
    404: {"model": answers.Wrong, "description": "There is no such thing."},
    409: {"model": answers.Wrong, "description": "It cannot be done; the detail says what to do."},
}
REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": answers.Wrong, "description": "The body is no JSON."},
    403: {"content": {"text/plain": {}}, "description": "The request does not come from a page of the app."},
    413: {"content": {"text/plain": {}}, "description": "The body is too long or does not say its length."},
}
Text = Annotated[str, Query(min_length=1, max_length=LONGEST_TEXT)]
Number = Annotated[int, Query(ge=0, lt=2**31)]


def api_router(exhibit: Exhibit) -> APIRouter:
    """The routes of the API for one exhibit."""
    router = APIRouter(prefix=API, responses=WRONG)
    _add_atlas(router, exhibit)
    _add_prompts(router, exhibit)
    _add_notes(router, exhibit)
    _add_steering(router, exhibit)
    return router


def _answer(value: Any) -> Response:
    # Not FastAPI's own: text from a corpus may hold what its encoder refuses, and numbers may be infinite.
    return Response(safe_json(value), media_type="application/json")


def _add_atlas(router: APIRouter, exhibit: Exhibit) -> None:
    @router.get("/features", response_model=answers.FeatureList)
    def features(request: Request) -> Response:
        """Features, searched and sorted by the same words as the page `/explore`."""
        state = State.asked(request.query_params)
        where = state.filter()
        rows = exhibit.atlas.features(
            where, order=state.order, descending=state.descending, limit=ROWS, offset=(state.page - 1) * ROWS
        )
        return _answer({"found": exhibit.atlas.count(where), "features": [asdict(row) for row in rows]})

    @router.get("/features/{number}", response_model=answers.FeatureLine)
    def feature(number: int) -> Response:
        """All that the page of a feature shows, but for its examples."""
        if not 0 <= number < len(exhibit.atlas):
            raise NothingThereError(f"There is no feature {number}.")
        return _answer(asdict(exhibit.atlas.feature(number)))

    @router.get("/search", response_model=answers.SearchAnswer)
    def search(q: Annotated[str, Query(max_length=200)], limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
        """Features in which all words of a text are found, best first."""
        hits = exhibit.search.find(q, limit=limit)
        rows = exhibit.atlas.rows(hit.feature for hit in hits)
        found = [{"feature": hit.feature, "where": hit.where, "label": titled(rows[hit.feature].label)} for hit in hits]
        return _answer({"found": exhibit.search.count(q), "hits": found})

    @router.get("/completeness", response_model=list[answers.CompletenessLine])
    def completeness(request: Request) -> Response:
        """Share of concepts that have a feature, by their frequency; empty where the corpus is not annotated."""
        bins = bins_of(exhibit.evaluation, request.query_params)
        return _answer([asdict(one) | dict(zip(("low", "high"), one.interval, strict=True)) for one in bins])

    @router.get("/safety", response_model=answers.SafetyBoard)
    def safety() -> Response:
        """The safety board: each concept's ladder with every number; empty where none was made."""
        return _answer({"ladders": exhibit.board.get("ladders", [])})


def _add_prompts(router: APIRouter, exhibit: Exhibit) -> None:
    @router.get("/prompt", response_model=answers.Prompt)
    def prompt(text: Text) -> Response:
        """Features on each token of a text."""
        reading = exhibit.prompting.reading(text)
        columns = zip(reading.ids, reading.texts, reading.special, reading.active, strict=True)
        tokens = [dict(zip(("token", "text", "special", "features"), column, strict=True)) for column in columns]
        return _answer({"site": str(exhibit.atlas.overview().get("site", "")), "cut": reading.cut, "tokens": tokens})

    @router.get("/attribution", response_model=answers.AttributionAnswer)
    def attribution(text: Text, token: Number, target: Number, method: str = "integrated") -> Response:
        """The logit of the output token `target` after token `token`, shared out among features and error."""
        reading = exhibit.prompting.reading(text)
        if token >= len(reading.ids):
            raise NothingThereError(f"There is no token {token}; the text has tokens 0 to {len(reading.ids) - 1}.")
        exhibit.prompting.token_text(target)
        config = AttributionConfig(method="gradient" if method == "gradient" else "integrated")
        found = exhibit.prompting.attributed(reading, OutputToken(token, target), config)
        return _answer(
            {
                "position": token,
                "target": target,
                "method": config.method,
                "logit": found.logit,
                "start": found.start,
                "features": [share._asdict() for share in found.features],
                "errors": found.errors,
                "total": found.total,
                "difference": found.difference,
                "left_over": found.left_over,
            }
        )

    @router.get("/contrast", response_model=answers.ContrastAnswer)
    def contrast(toward: Text, away: Text, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
        """Features that tell prompts, one a line, of one set from those of another."""
        sets = prompts(toward), prompts(away)
        if not all(sets):
            raise ModelError(expected="at least one prompt in each set", got="none", do="write one a line")
        found = exhibit.prompting.contrasted(*(some[:MOST_PROMPTS] for some in sets))
        lines = [one._asdict() for one in found.features[:limit]]
        return _answer({"toward": found.toward, "away": found.away, "chance": found.chance, "features": lines})


def _add_notes(router: APIRouter, exhibit: Exhibit) -> None:
    @router.get("/notes", response_model=list[answers.WrittenNote])
    def notes() -> Response:
        """Every note, in the order in which they were written; who wrote it is left out."""
        history = [note._asdict() for note in exhibit.notes.history()]
        return _answer([{key: value for key, value in note.items() if key != "reader"} for note in history])

    @router.post("/notes", response_model=answers.WrittenNote, status_code=201, responses=REFUSED)
    def write(note: answers.NewNote, request: Request) -> Response:
        """Write a note down; it is on disk when the answer comes."""
        if note.feature >= len(exhibit.atlas):
            raise NothingThereError(f"There is no feature {note.feature}.")
        reader = reader_of(request)
        written = exhibit.notes.add(note.feature, Kind(note.kind), note.value, reader=reader.name)
        answer = _answer({key: value for key, value in written._asdict().items() if key != "reader"})
        answer.status_code = 201
        reader.remember(answer)
        return answer


def _add_steering(router: APIRouter, exhibit: Exhibit) -> None:
    @router.get("/steer", response_class=StreamingResponse)
    async def steer(
        request: Request,
        prompt: Annotated[str, Query(max_length=LONGEST_TEXT)] = "",
        moves: Annotated[str, Query(max_length=2000)] = "",
        tokens: str = "60",
        temperature: str = "0",
        seed: str = "0",
    ) -> StreamingResponse:
        """A prompt continued as it is, steered, and moved at random: server-sent events `texts`, `judged`, `done`.

        What cannot be done ends the stream with an event `wrong`, as a browser shows no other answer to its script.
        """
        del prompt, moves, tokens, temperature, seed  # described here, read by the experiment
        events = _told(exhibit, request.query_params)
        return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _told(exhibit: Exhibit, query: Mapping[str, str]) -> AsyncIterator[str]:
    """An experiment as server-sent events, ended by the judgements of its texts where the world knows them."""
    texts: dict[str, str] = {}
    try:
        experiment = Experiment.asked(query)
    except TymbalError as error:
        yield _event("wrong", str(error))
        return
    async for event in Growth(experiment, exhibit.subject, exhibit.folder).events():
        if "texts" in event:
            texts = event["texts"]
            yield _event("texts", {name: editable(text) for name, text in texts.items()})
        elif "error" in event:
            yield _event("wrong", event["error"])
            return
    if exhibit.judge.speaks:
        whole = {name: experiment.prompt + text for name, text in texts.items()}
        judged = {name: await anyio.to_thread.run_sync(exhibit.judge.judged, text) for name, text in whole.items()}
        yield _event("judged", {name: _verdict(one) for name, one in judged.items()})
    yield _event("done", True)


def _event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


def _verdict(judgement: Judgement | None) -> str:
    """A judgement in a sentence."""
    if judgement is None:
        return ""
    if not judgement.readable:
        return "The world's parser cannot read it: no text of this world."
    stated = judgement.right + judgement.wrong
    facts = f"{judgement.right} of {stated} statements true" if stated else "no statement yet"
    return f"Read by the world's parser as {judgement.form}, language {judgement.language}: {facts}."
