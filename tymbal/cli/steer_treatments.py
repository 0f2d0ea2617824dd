"""What `tymbal steer` steers with: vectors of texts, of a saved probe or of a concept, or features of studies."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from tymbal.cli.steer import Options, required, texts_of
from tymbal.edits import AddedVectors, ClampedFeatures, FitConfig, Where, fitted_vector, steering_vector, written_vector
from tymbal.edits.saved_directions import saved_direction
from tymbal.errors import TymbalError
from tymbal.study.features import features_of, named_feature

if TYPE_CHECKING:
    from tymbal.edits import Aim, SteeringVector, Treatment
    from tymbal.edits.vectors import Method
    from tymbal.models import LanguageModel

OF_CONCEPTS = ("written", "fitted")
OF_TEXTS: "tuple[Method, ...]" = ("difference", "mean", "pca")
Name = TypeVar("Name", bound=str)
TRIED_TOKENS = ("all", "prompt")


def treatment_of(options: Options, model: "LanguageModel", aim: "Aim | None") -> "Treatment":
    """The one treatment that is asked for."""
    where = Where(tokens=options.when, start=options.start)
    if options.feature:
        return ClampedFeatures(features=tuple(named_feature(name) for name in options.feature), where=where)
    sites = options.site or (f"resid_post.{model.layers // 2}",)
    if options.probe is not None:
        return _added([saved_direction(options.probe)], where)
    if options.toward is None and aim is not None:
        method = _method(options, OF_CONCEPTS)
        return _added([_of_concept(model, aim, site, method, where) for site in sites], where)
    return _added(_of_texts(options, model, sites), where)


def candidates(options: Options, model: "LanguageModel", aim: "Aim | None") -> dict[str, "Treatment"]:
    """What a search tries: features of the studies, singly and together; or vectors, site by site."""
    if options.study:
        return {one.made: one for one in _features(options)}
    sites = options.site or [f"resid_post.{layer}" for layer in range(model.layers)]
    if options.probe is not None:
        return {"probe": treatment_of(options, model, aim)}
    if aim is None or options.toward is not None:
        where = Where(tokens=options.when, start=options.start)
        found = [_added(_of_texts(options, model, [site]), where) for site in sites]
        return {one.made: one for one in [*found, _added([one.vectors[0] for one in found], where)]}
    methods = OF_CONCEPTS if options.method is None else (options.method,)
    places = [Where(tokens=tokens, start=options.start) for tokens in TRIED_TOKENS]
    found = [
        _added([_of_concept(model, aim, site, method, where)], where)
        for site in sites
        for method in methods
        for where in places
    ]
    return {one.made: one for one in found}


def _features(options: Options) -> list["Treatment"]:
    where = Where(tokens=options.when, start=options.start)
    features = [one for folder in options.study for one in features_of(folder, options.concept or "")]
    if not features:
        raise TymbalError(
            expected=f"a feature whose best concept is {options.concept}", got="none in these studies", do="name more"
        )
    together = [(one,) for one in features] + ([tuple(features)] if len(features) > 1 else [])
    return [ClampedFeatures(features=own, where=where) for own in together]


def _added(vectors: Sequence["SteeringVector"], where: Where) -> AddedVectors:
    return AddedVectors(vectors=tuple(vectors), where=where, relative=True)


def _of_concept(model: "LanguageModel", aim: "Aim", site: str, method: str, where: Where) -> "SteeringVector":
    if method == "fitted":
        return fitted_vector(model, aim.crossed, site=site, config=FitConfig(where=where))
    return written_vector(model, aim.wanted, aim.others, site=site)


def _of_texts(options: Options, model: "LanguageModel", sites: Sequence[str]) -> list["SteeringVector"]:
    toward, away = texts_of(required(options.toward)), texts_of(required(options.away))
    method = _method(options, OF_TEXTS)
    if method != "mean" and len(toward) != len(away):
        raise TymbalError(
            expected="as many texts toward as away, in pairs",
            got=f"{len(toward)} and {len(away)}",
            do="add the missing ones, or choose --method mean",
        )
    return [steering_vector(model, toward, away, site=site, method=method) for site in sites]


def _method(options: Options, known: Sequence[Name]) -> Name:
    """The method asked for, else the first that is known; raises `TymbalError` for one that is not."""
    if options.method is None:
        return known[0]
    for method in known:
        if method == options.method:
            return method
    raise TymbalError(expected=f"--method {', '.join(known)} for this", got=options.method, do="name one of these")
