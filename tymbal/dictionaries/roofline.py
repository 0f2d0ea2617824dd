"""What a training step must at least cost on a device: counted from its sizes, before anything is measured.

With b rows, f features, width w, k active features a row and P = 2·f·w parameters (encoder and decoder), all of one rank:

    product      2·b·f·w floating-point operations                     the scores, the one dense product
    sparse       4·b·k·w numbers read, P gradients (fp32) written      decode, gradient of the values, two weight gradients
    optimiser    28·P bytes, and the encoder once more in bfloat16     Adam: four fp32 numbers read, three written

Gathered lines are counted as if each came from the device's memory; lines of features that are often active come from its
cache, so that a step may be a little faster than this. Not counted, as a kernel could do it on the way: the selection of
the highest scores, norms, what is not finite.

Source of the method: Williams, Waterman and Patterson 2009, "Roofline: an insightful visual performance model".
"""

from dataclasses import dataclass

FP32, BF16 = 4, 2
"""Bytes of a number."""
ADAM = 7 * FP32
"""Bytes that Adam moves a parameter: parameter, gradient and two moments read; parameter and two moments written."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """What a device can do at best, as its maker says."""

    name: str
    operations: float
    """Floating-point operations a second in bfloat16, dense."""
    bandwidth: float
    """Bytes a second from and to its memory."""
    memory: float
    """Bytes of memory."""


H200 = Device(name="NVIDIA H200", operations=989e12, bandwidth=4.8e12, memory=141e9)
"""NVIDIA H200 Tensor Core GPU data sheet (SXM)."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """The sizes of one rank's part of a step."""

    width: int
    features: int
    rows: int
    k: float
    """Active features a row among these features, on average."""
    gathered: int = FP32
    """Bytes of a number in the lines that are gathered."""

    @property
    def parameters(self) -> int:
        """Numbers in encoder and decoder."""
        return 2 * self.features * self.width

    @property
    def operations(self) -> float:
        """Floating-point operations of the product."""
        return 2.0 * self.rows * self.features * self.width

    @property
    def sparse_bytes(self) -> float:
        """Bytes moved for active features: gathered lines read, gradients written."""
        return 4 * self.rows * self.k * self.width * self.gathered + FP32 * self.parameters

    @property
    def optimiser_bytes(self) -> float:
        """Bytes moved by Adam and by the encoder's copy in bfloat16."""
        return ADAM * self.parameters + BF16 * self.features * self.width


@dataclass(frozen=True, kw_only=True)
class Roofline:
    """Seconds that a step takes at least."""

    product: float
    sparse: float
    optimiser: float

    @property
    def total(self) -> float:
        """All of them, one after the other."""
        return self.product + self.sparse + self.optimiser


def roofline(step: Step, device: Device) -> Roofline:
    """What a step costs at least on this device."""
    return Roofline(
        product=step.operations / device.operations,
        sparse=step.sparse_bytes / device.bandwidth,
        optimiser=step.optimiser_bytes / device.bandwidth,
    )
