import ast
import copy
import json
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from kripke_oracle import agent_trees, chain_solution, text

from tymbal.theory.modal import LIBRARY, Agent, checker, duel, payor_lemma, play, random_agent, tournament

SCRIPT = Path(checker.__file__)
_spec = spec_from_file_location("checker_alone", SCRIPT)
assert _spec
assert _spec.loader
alone = module_from_spec(_spec)
_spec.loader.exec_module(alone)  # as a script that knows nothing of Tymbal, and is not slowed by checks of types
check, RejectedError = alone.check, alone.RejectedError

PLAIN = {"a": "[]b", "b": "[]a"}


def proof(*lines, claims=(), models=()):
    """A certificate from (formula, rule, lines) triples."""
    return {
        "lines": [{"formula": formula, "rule": rule, "from": list(places)} for formula, rule, places in lines],
        "claims": list(claims),
        "countermodels": list(models),
    }


def told_outcome(match):
    """The outcome as the checked claims tell it: `[]...false | a` means that a is true in arithmetic."""
    told = {}
    for line in check(match.certificate, match.equations):
        if claim := re.fullmatch(r"provable: (?:((?:\[\])*)false \| )?(~?)([\w()]+)", line):
            told[claim[3]] = ("D" if claim[2] else "C", (len(claim[1]) // 2) if claim[1] else 0)
    return [told[str(action)] for action in match.actions]


def test_the_checker_is_short_and_imports_nothing_of_tymbal():
    source = SCRIPT.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 200
    nodes = list(ast.walk(ast.parse(source)))
    imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not imported - set(sys.stdlib_module_names)


def test_every_match_of_the_library_has_a_certificate_that_tells_its_outcome():
    for match in tournament(LIBRARY.values()).matches.values():
        assert told_outcome(match) == list(zip(match.outcome, match.levels, strict=True))


def test_what_needs_more_than_pa_has_a_countermodel_for_one_level_less():
    match = duel("PrudentBot", "CooperateBot")
    assert match.levels == (2, 0)
    assert match.verified() == [
        "provable: [][]false | ~PrudentBot(CooperateBot)",
        "provable: CooperateBot(PrudentBot)",
        "not provable: []false | ~PrudentBot(CooperateBot)",
    ]


@given(agent_trees(), agent_trees())
@settings(max_examples=40, deadline=None)
def test_certificates_of_arbitrary_matches_are_accepted_and_tell_what_brute_force_finds(left, right):
    match = duel(Agent(text(left), "Left"), Agent(text(right), "Right"))
    last = chain_solution(left, right, len(match.trace.boxes) + 2)[-1]
    assert [deed for deed, _ in told_outcome(match)] == ["DC"[action] for action in last]


def test_games_of_many_have_certificates_too():
    game = play(["[](others >= 2)", "[]next", "~[]~E", "[1](E >= 3) | []others", "true"])
    assert [deed for deed, _ in told_outcome(game)] == list(game.outcome)


def tampered(certificate, random):
    """The certificate with one thing changed for the worse: no such change can leave a proof of what it claimed."""
    changed = copy.deepcopy(certificate)
    lines, models = changed["lines"], changed["countermodels"]
    kinds = ["negate claim", "negate line", "uncite", "drop line", "change rule"] + [
        "flip",
        "blind",
        "reflexive",
    ] * bool(models)
    match random.choice(kinds):
        case "negate claim":
            place = random.randrange(len(changed["claims"]))
            changed["claims"][place] = f"~({changed['claims'][place]})"
        case "negate line":
            line = random.choice(lines)
            line["formula"] = f"~({line['formula']})"
        case "uncite":
            line = random.choice([line for line in lines if line["from"]] or [None])
            if line is None:
                return None
            line["from"].pop(random.randrange(len(line["from"])))
        case "drop line":
            del lines[random.randrange(len(lines))]
        case "change rule":
            line = random.choice(lines)
            line["rule"] = random.choice(["definition", "necessitate", "distribute", "loeb", "hypothesis", "magic"])
        case "flip":
            model = random.choice(models)
            name = random.choice(sorted(model["true"]))
            model["true"][name] = sorted({random.randrange(model["worlds"])} ^ set(model["true"][name]))
        case "blind":
            model = random.choice(models)
            if not model["sees"]:
                return None
            model["sees"].pop(random.randrange(len(model["sees"])))
        case "reflexive":
            model = random.choice(models)
            world = random.randrange(model["worlds"])
            model["sees"].append([world, world])
    return changed


def test_tampered_certificates_are_rejected_or_still_show_nothing_but_the_truth():
    random = Random(0)
    rejected = tried = 0
    for _ in range(50):
        match = duel(random_agent(random), random_agent(random))
        honest = check(match.certificate, match.equations)
        for _ in range(20):
            changed = tampered(match.certificate, random)
            if changed is None or changed == match.certificate:
                continue
            tried += 1
            try:
                shown = check(changed, match.equations)
            except RejectedError:
                rejected += 1
            else:  # such as a citation that was not needed, or a line that another repeats
                assert shown == honest
    assert tried > 700
    assert rejected > 0.75 * tried


@pytest.mark.parametrize("kind", ["negate claim", "negate line", "flip", "reflexive"])
def test_what_changes_the_meaning_is_always_rejected(kind):
    random = Random(1)
    for pair in [("FairBot", "DefectBot"), ("PrudentBot", "CooperateBot"), ("TrustingBot", "FairBot")]:
        match = duel(*pair)
        for _ in range(30):
            choice = Random(random.random())
            choice.choice = lambda options, choice=choice: kind if kind in options else Random.choice(choice, options)
            with pytest.raises(RejectedError):
                check(tampered(match.certificate, choice), match.equations)


def test_a_certificate_is_of_no_use_for_other_agents():
    match = duel("FairBot", "FairBot")
    with pytest.raises(RejectedError):
        check(match.certificate, duel("~[]~them", "~[]~them").equations)
    with pytest.raises(RejectedError):
        check(match.certificate, {"FairBot(FairBot)": "[]~FairBot(FairBot)"})


@pytest.mark.parametrize(
    "certificate",
    [
        proof(("a", "tautology", [])),
        proof(("a -> b", "tautology", [])),
        proof(("a <-> []a", "definition", [])),
        proof(("a", "hypothesis", [])),
        proof(("[]a -> a", "tautology", [])),
        proof(("[](a -> b) -> []a -> []b", "tautology", [])),
        proof(("a -> a", "tautology", []), ("[]b", "necessitate", [0])),
        proof(("a -> a", "tautology", []), ("a", "necessitate", [0])),
        proof(("a & b -> b", "tautology", []), ("[](a & b) -> []a", "distribute", [0])),
        proof(("a & b -> b", "tautology", []), ("[x](a & b) -> [y]b", "distribute", [0])),
        proof(("a & b -> b", "tautology", []), ("[](a & b) -> b", "distribute", [0])),
        proof(("[]([]a -> b) -> []a", "loeb", [])),
        proof(("[]([]a -> a) -> a", "loeb", [])),
        proof(("[x]([x]a -> a) -> [x]a", "loeb", [])),
        proof(("a", "tautology", [0])),
        proof(("a", "tautology", [1]), ("a", "tautology", [0])),
        proof(("a", "tautology", [-1])),
        proof(claims=["a"]),
        proof(("a | ~a)", "tautology", [])),
        proof(("(a | ~a", "tautology", [])),
        proof(("a ~a", "tautology", [])),
        proof(("a ? a", "tautology", [])),
        {"lines": [], "claims": []},
        {"lines": [{"formula": "a"}], "claims": [], "countermodels": []},
    ],
    ids=lambda certificate: json.dumps(certificate["lines"])[:60],
)
def test_what_does_not_follow_is_rejected(certificate):
    with pytest.raises(RejectedError):
        check(certificate, PLAIN)


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ({"worlds": 1, "sees": [[0, 0]], "true": {"a": [], "b": []}}, "not a frame"),
        ({"worlds": 2, "sees": [[0, 1], [1, 0]], "true": {"a": [], "b": []}}, "not transitive"),
        ({"worlds": 3, "sees": [[2, 1], [1, 0]], "true": {"a": [0, 1, 2], "b": [0, 1, 2]}}, "not transitive"),
        ({"worlds": 1, "sees": [], "true": {"a": [], "b": []}}, "equation fails"),
        ({"worlds": 1, "sees": [], "true": {"a": [0], "b": [0]}}, "holds in the model"),
        ({"worlds": 1, "sees": [[0, 5]], "true": {"a": [0], "b": [0]}}, "not a frame"),
        ({"worlds": 0, "sees": [], "true": {}}, "holds in the model"),
        ({"worlds": 1, "sees": [], "true": {"a": [0]}}, "not a certificate"),
    ],
)
def test_a_model_that_refutes_nothing_is_rejected(model, complaint):
    with pytest.raises(RejectedError, match=complaint):
        check(proof(models=[{"refutes": "a", **model}]), PLAIN)


def test_a_model_may_be_any_frame_of_gl():
    model = {"worlds": 3, "sees": [[0, 1], [0, 2]], "true": {"a": [1, 2], "b": []}, "refutes": "a"}
    assert check(proof(models=[model]), {"a": "[]b", "b": "false"}) == ["not provable: a"]


def test_loebs_axiom_is_refused_where_the_logic_is_k():
    match = duel("FairBot", "FairBot")
    with pytest.raises(RejectedError):
        check(match.certificate, match.equations, logic="K")


def test_a_certificate_that_was_written_is_read_by_the_script_alone(tmp_path):
    match = duel("FairBot", "DefectBot")
    match.write_certificate(tmp_path / "certificate.json")
    script = [sys.executable, "-I", str(SCRIPT)]
    done = subprocess.run(
        script, input=(tmp_path / "certificate.json").read_text(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == match.verified()


def test_a_rejected_certificate_is_rejected_by_the_package_too():
    with pytest.raises(checker.RejectedError):
        checker.check(proof(claims=["a"]), PLAIN)


def test_hypotheses_count_only_where_they_are_granted():
    theorem = payor_lemma()
    with pytest.raises(RejectedError):
        check(theorem.certificate, {}, [], logic="K")
