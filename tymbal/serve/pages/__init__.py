"""The table of pages. To add a page: a template, a file here with a function that fills it, and a row below."""

from tymbal.serve.links import Place
from tymbal.serve.page import Page
from tymbal.serve.pages.analyses import each_analysis, fill_analyses, fill_analysis, has_analyses
from tymbal.serve.pages.calibrate import fill_calibrate
from tymbal.serve.pages.compare import each_pair, fill_compare, fill_pair, has_comparison
from tymbal.serve.pages.completeness import fill_completeness, has_concepts
from tymbal.serve.pages.explore import fill_explore
from tymbal.serve.pages.feature import each_feature, fill_feature
from tymbal.serve.pages.languages import fill_languages, has_passages
from tymbal.serve.pages.map import fill_map
from tymbal.serve.pages.notes import fill_notes
from tymbal.serve.pages.overview import fill_overview
from tymbal.serve.pages.prompt import fill_prompt, has_model
from tymbal.serve.pages.safety import fill_safety, has_board
from tymbal.serve.pages.search import fill_search
from tymbal.serve.pages.steer import fill_steer

PAGES = (
    Page(
        name="overview",
        place=Place("/", "index.html"),
        template="overview.html",
        fill=fill_overview,
        word="Overview",
    ),
    Page(
        name="explore",
        place=Place("/explore", "explore.html"),
        template="explore.html",
        fill=fill_explore,
        word="Explore",
    ),
    Page(
        name="search",
        place=Place("/search", None),
        template="search.html",
        fill=fill_search,
        word="Search",
    ),
    Page(
        name="map",
        place=Place("/map", "map.html"),
        template="map.html",
        fill=fill_map,
        word="Map",
    ),
    Page(
        name="completeness",
        place=Place("/completeness", "completeness.html"),
        template="completeness.html",
        fill=fill_completeness,
        word="Completeness",
        there=has_concepts,
    ),
    Page(
        name="safety",
        place=Place("/safety", "safety.html"),
        template="safety.html",
        fill=fill_safety,
        word="Safety",
        there=has_board,
    ),
    Page(
        name="analyses",
        place=Place("/analyses", "analyses.html"),
        template="analyses.html",
        fill=fill_analyses,
        word="Analyses",
        there=has_analyses,
    ),
    Page(
        name="languages",
        place=Place("/languages", "languages.html"),
        template="languages.html",
        fill=fill_languages,
        word="Languages",
        there=has_passages,
    ),
    Page(
        name="compare",
        place=Place("/compare", "compare.html"),
        template="compare.html",
        fill=fill_compare,
        word="Compare",
        there=has_comparison,
    ),
    Page(
        name="prompt",
        place=Place("/prompt", None),
        template="prompt.html",
        fill=fill_prompt,
        word="Prompt",
        there=has_model,
    ),
    Page(
        name="steer",
        place=Place("/steer", None),
        template="steer.html",
        fill=fill_steer,
        word="Steer",
        there=has_model,
    ),
    Page(
        name="notes",
        place=Place("/notes", None),
        template="notes.html",
        fill=fill_notes,
        word="Notes",
    ),
    Page(
        name="calibrate",
        place=Place("/calibrate", None),
        template="calibrate.html",
        fill=fill_calibrate,
        word="Calibrate",
    ),
    Page(
        name="feature",
        place=Place("/feature/{number}", "feature/{number}.html"),
        template="feature.html",
        fill=fill_feature,
        instances=each_feature,
    ),
    Page(
        name="analysis",
        place=Place("/analyses/{name}", "analyses/{name}.html"),
        template="analysis.html",
        fill=fill_analysis,
        instances=each_analysis,
        there=has_analyses,
    ),
    Page(
        name="pair",
        place=Place("/compare/{pair}", "compare/{pair}.html"),
        template="pair.html",
        fill=fill_pair,
        instances=each_pair,
        there=has_comparison,
    ),
)
