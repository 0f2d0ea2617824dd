"""How strongly each feature is active on the tokens of one use, feature by feature; never a table of all with all."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray
from scipy import sparse

from tymbal.atlas import CodeStore
from tymbal.corpora import Role
from tymbal.explain.reading import chosen_rows


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Active entries sorted by feature, then row; rows count the tokens of the text from 0."""

    tokens: int
    starts: Int64[ndarray, " feature_and_end"]
    rows: Int32[ndarray, " entry"]
    values: Float32[ndarray, " entry"]

    @classmethod
    def of(cls, codes: CodeStore, role: Role, tokens: int) -> "Activity":
        """The entries of a store's passages of this role, of the rows that `Text.of` reads too."""
        features, rows, values = [], [], []
        before = count = 0
        for shard, kept in zip(codes.shards(), chosen_rows(codes, role, tokens), strict=True):
            place = np.full(len(shard.tokens), -1, dtype=np.int64)
            place[kept] = before + np.arange(len(kept))
            mine = place[shard.rows] >= 0
            features.append(shard.entry_features()[mine])
            rows.append(place[shard.rows[mine]].astype(np.int32))
            values.append(shard.values[mine])
            before += len(kept)
            count = shard.features
        feature = np.concatenate(features)
        order = np.argsort(feature, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(feature, minlength=count))])
        return cls(
            tokens=before,
            starts=starts.astype(np.int64),
            rows=np.concatenate(rows)[order],
            values=np.concatenate(values)[order],
        )

    @property
    def features(self) -> int:
        """Features of the dictionary, active or not."""
        return len(self.starts) - 1

    def of_feature(self, feature: int) -> tuple[Int32[ndarray, " entry"], Float32[ndarray, " entry"]]:
        """Where a feature is active, and how strongly."""
        entries = slice(int(self.starts[feature]), int(self.starts[feature + 1]))
        return self.rows[entries], self.values[entries]

    def matrix(self, features: ndarray) -> sparse.csc_array:
        """These features' activations, token by feature."""
        parts = [self.of_feature(int(feature)) for feature in features]
        starts = np.concatenate([[0], np.cumsum([len(rows) for rows, _ in parts])])
        rows = np.concatenate([np.zeros(0, dtype=np.int32), *(rows for rows, _ in parts)])
        values = np.concatenate([np.zeros(0, dtype=np.float32), *(values for _, values in parts)])
        return sparse.csc_array((values, rows, starts), shape=(self.tokens, len(features)))
