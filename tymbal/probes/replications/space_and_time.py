"""Space and time (Gurnee & Tegmark 2023, "Language Models Represent Space and Time").

the world's towns       where they lie and when they were founded, read off their names in the bundled model; it has
                        been told founding years, but of places only directions and distances between two towns
places of the earth     longitude and latitude, read off the names of places in all-MiniLM-L6-v2
"""

from tymbal.corpora.world import generate_world
from tymbal.probes.labelled import LabelConfig, read_labels
from tymbal.probes.pictures import draw_map
from tymbal.probes.probing import ProbeConfig, ProbeReport
from tymbal.probes.replications.experiment import Page, encoder, world_model
from tymbal.probes.targets import Numbers
from tymbal.probes.world import concept_texts

PARTS = ("towns", "founded", "places")
PLACES = "labelled/places/world_place.csv"


def run(page: Page) -> None:
    """Towns, founding years, places."""
    config, world, model = page.config, generate_world(0), world_model(page.config)
    by_last = ProbeConfig(seed=config.seed)
    if page.wants("towns"):
        towns = page.probe(model, concept_texts(world, "town.position"), "towns", by_last)
        _map(page, towns, ("x, km", "y, km"), "Towns of the world", "towns-map")
    if page.wants("founded"):
        page.probe(model, concept_texts(world, "town.founded"), "founded", by_last)
    if not page.wants("places"):
        return
    sentences = encoder(config)
    if config.real is None or sentences is None:
        page.left_out("places of the earth", "want of --real or of all-MiniLM-L6-v2")
        return
    columns = LabelConfig(text="name", label=("longitude", "latitude"), numbers=True, group="name")
    by_mean = ProbeConfig(pooling="mean", seed=config.seed)
    places = page.probe(sentences, read_labels(config.real / PLACES, columns), "places", by_mean)
    _map(page, places, ("longitude", "latitude"), "Places of the earth", "places-map")


def _map(page: Page, report: ProbeReport, labels: tuple[str, str], title: str, name: str) -> None:
    fitted = report.fitted[report.best.site]
    assert isinstance(fitted.target, Numbers)
    draw_map(fitted.target.values, fitted.scores, labels, f"{title}, {report.best.site}", page.folder / f"{name}.svg")
