"""What is added to attention scores, or done to them: one function of both tokens' facts a file."""

from mmattn.biases.alibi import ALiBi
from mmattn.biases.bias import Added, Bias, head_numbers, learns
from mmattn.biases.chain import Chain
from mmattn.biases.distance_buckets import DistanceBuckets
from mmattn.biases.grid_offsets import GridOffsets
from mmattn.biases.soft_cap import SoftCap

__all__ = ["ALiBi", "Added", "Bias", "Chain", "DistanceBuckets", "GridOffsets", "SoftCap", "head_numbers", "learns"]
