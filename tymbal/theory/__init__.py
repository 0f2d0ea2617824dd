"""The theory room: small exact models of alignment. It stands apart from the rest and takes no torch.

    modal    agents that prove things about each other
    mild     optimisers that do not push too hard
    risk     the risk of a disaster, computed from an explicit model

Each is a package of its own: `from tymbal.theory.modal import ...`.
"""

__all__: list[str] = []
