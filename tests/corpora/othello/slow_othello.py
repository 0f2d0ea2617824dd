"""Othello told square by square, as the rules are written: an oracle that shares nothing with the bitboards."""

from itertools import product

SIDE = 6
DIRECTIONS = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]


class SlowOthello:
    """One game; discs are "B" and "W", empty squares "."."""

    def __init__(self) -> None:
        self.board = [["."] * SIDE for _ in range(SIDE)]
        self.board[2][2] = self.board[3][3] = "W"
        self.board[2][3] = self.board[3][2] = "B"
        self.player = "B"

    def turned(self, row: int, column: int) -> list[tuple[int, int]]:
        """Discs that the player would turn over by a disc on this square."""
        found = []
        for down, right in DIRECTIONS:
            line = []
            r, c = row + down, column + right
            while 0 <= r < SIDE and 0 <= c < SIDE and self.board[r][c] not in (".", self.player):
                line.append((r, c))
                r, c = r + down, c + right
            if line and 0 <= r < SIDE and 0 <= c < SIDE and self.board[r][c] == self.player:
                found += line
        return found

    def legal(self) -> set[int]:
        """Squares that the player may play, as 6 * row + column."""
        places = product(range(SIDE), repeat=2)
        return {SIDE * r + c for r, c in places if self.board[r][c] == "." and self.turned(r, c)}

    def play(self, square: int) -> None:
        """Play a legal square; whoever has no move then passes."""
        row, column = divmod(square, SIDE)
        for r, c in [*self.turned(row, column), (row, column)]:
            self.board[r][c] = self.player
        self._pass()
        if not self.legal():
            self._pass()

    def _pass(self) -> None:
        self.player = "W" if self.player == "B" else "B"

    def flat(self) -> list[str]:
        """The squares in reading order."""
        return [disc for row in self.board for disc in row]
