"""The table of pages. To add a page: a template, a file here with a function that fills it, and a row below."""

from tymbal.serve.links import Place
from tymbal.serve.page import Page
from tymbal.serve.pages.explore import fill_explore
from tymbal.serve.pages.feature import each_feature, fill_feature
from tymbal.serve.pages.map import fill_map
from tymbal.serve.pages.overview import fill_overview

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
        name="map",
        place=Place("/map", "map.html"),
        template="map.html",
        fill=fill_map,
        word="Map",
    ),
    Page(
        name="feature",
        place=Place("/feature/{number}", "feature/{number}.html"),
        template="feature.html",
        fill=fill_feature,
        instances=each_feature,
    ),
)
