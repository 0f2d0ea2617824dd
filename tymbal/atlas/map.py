"""Where the living features lie on a map: near each other when their decoder directions are alike.

1. Directions of unit length go to their first 50 principal components.
2. UMAP (cosine, seeded, one thread) lays them out in two dimensions; where it is not installed, or there are too few
   features, the first two principal components do.
3. HDBSCAN finds dense regions of the map.

Source: McInnes et al. 2018 (arXiv 1802.03426); Campello et al. 2013 (HDBSCAN).
"""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from numpy import ndarray
from torch import Tensor

COMPONENTS = 50
NEAR = 15
"""UMAP's number of neighbours"""
_EPOCHS = 200
"""UMAP's own default above 10,000 points; below, its 500 take longer than the rest of an index"""
_SMALLEST_CLUSTER = 8
_CLUSTER_SHARE = 150
"""a cluster has at least one of so many features"""
_BLOCK = 1024
"""features whose nearest are sought at once"""


class Layout(NamedTuple):
    """Places of the features laid out."""

    places: Float32[ndarray, "feature 2"]
    clusters: Int64[ndarray, " feature"]
    """-1 outside every cluster"""
    method: str
    """what made the places"""


def lay_out(directions: Float[Tensor, "feature width"], method: str, seed: int) -> Layout:
    """Lay features out by their directions; the same directions and seed give the same map, bit by bit."""
    components = _principal(torch.nn.functional.normalize(directions.double(), dim=1), COMPONENTS)
    places, made_by = components[:, :2], "PCA"
    if method == "umap" and len(components) > NEAR + 1:
        found = _umap(components, seed)
        places, made_by = (places, "PCA, as umap-learn is not installed") if found is None else (found, "UMAP")
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1]))).astype(np.float32)
    return Layout(places, _clusters(places), made_by)


def _principal(points: Float[Tensor, "feature width"], count: int) -> Float[ndarray, "feature component"]:
    """Scores on the first principal components; each component's largest loading is positive."""
    if not len(points):
        return np.zeros((0, 2))
    centred = points - points.mean(dim=0)
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    vectors = vectors.flip(1)[:, :count]
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    return (centred @ (vectors * largest.sign())).numpy()


def _umap(components: Float[ndarray, "feature component"], seed: int) -> Float32[ndarray, "feature 2"] | None:
    """UMAP's layout, or None where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from umap import UMAP
        except ImportError:
            return None
        # Exact neighbours, found here, spare UMAP its own approximate search and the half of its time that compiles it.
        near = (*_nearest(components), None)
        fitter = UMAP(
            metric="cosine", n_neighbors=NEAR, n_epochs=_EPOCHS, random_state=seed, n_jobs=1, precomputed_knn=near
        )
        threads = torch.get_num_threads()
        try:
            return np.asarray(fitter.fit_transform(components.astype(np.float32)), dtype=np.float32)
        finally:
            # Numba, which UMAP runs on, sets the number of OpenMP threads for the whole process.
            torch.set_num_threads(threads)


def _nearest(
    components: Float[ndarray, "feature component"],
) -> tuple[Int64[ndarray, "feature near"], Float32[ndarray, "feature near"]]:
    """Each feature's nearest by cosine distance, itself first, and the distances."""
    unit = torch.nn.functional.normalize(torch.from_numpy(components), dim=1)
    indices, distances = [], []
    for begin in range(0, len(unit), _BLOCK):
        cosine = unit[begin : begin + _BLOCK] @ unit.T
        own = torch.arange(len(cosine))
        cosine[own, own + begin] = torch.inf
        found = torch.topk(cosine, NEAR, dim=1)
        indices.append(found.indices.numpy())
        distances.append((1 - found.values.clamp(max=1)).numpy())
    return np.concatenate(indices), np.concatenate(distances).astype(np.float32)


def _clusters(places: Float32[ndarray, "feature 2"]) -> Int64[ndarray, " feature"]:
    """Dense regions, numbered from the largest."""
    smallest = max(_SMALLEST_CLUSTER, len(places) // _CLUSTER_SHARE)
    if len(places) < 2 * smallest:
        return np.full(len(places), -1, dtype=np.int64)
    from sklearn.cluster import HDBSCAN

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Leaves of the tree: the default picks one region that holds nearly all, where a map is evenly filled.
        tree = HDBSCAN(min_cluster_size=smallest, min_samples=5, cluster_selection_method="leaf", n_jobs=1)
        found = tree.fit_predict(places)
    sizes = np.bincount(found[found >= 0])
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((np.arange(len(sizes)), -sizes))] = np.arange(len(sizes))
    return np.where(found >= 0, number[np.maximum(found, 0)] if len(sizes) else -1, -1)
