"""What is made of a backbone's tokens."""

from mmattn.heads.classifier import Classifier, TokenClassifier
from mmattn.heads.codec import Codec, GridCodec, LinearCodec
from mmattn.heads.pooling import AttentionPool, FirstPool, LastPool, MaxPool, MeanPool
from mmattn.heads.preview import Preview
from mmattn.heads.projection import Projection
from mmattn.heads.tokens import ContentHead, TokenHead

__all__ = [
    "AttentionPool",
    "Classifier",
    "Codec",
    "ContentHead",
    "FirstPool",
    "GridCodec",
    "LastPool",
    "LinearCodec",
    "MaxPool",
    "MeanPool",
    "Preview",
    "Projection",
    "TokenClassifier",
    "TokenHead",
]
