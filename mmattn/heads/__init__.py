"""What is made of a backbone's tokens."""

from mmattn.heads.classifier import Classifier, TokenClassifier
from mmattn.heads.pooling import AttentionPool, FirstPool, LastPool, MaxPool, MeanPool
from mmattn.heads.tokens import ContentHead, TokenHead

__all__ = [
    "AttentionPool",
    "Classifier",
    "ContentHead",
    "FirstPool",
    "LastPool",
    "MaxPool",
    "MeanPool",
    "TokenClassifier",
    "TokenHead",
]
