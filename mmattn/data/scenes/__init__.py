"""Pictures of coloured shapes with captions, and the judge of pictures that were made from such captions."""

from mmattn.data.scenes.checker import Verdict, check
from mmattn.data.scenes.draw import draw
from mmattn.data.scenes.grammar import Noun, Request, caption, same_request
from mmattn.data.scenes.look import look
from mmattn.data.scenes.meaning import meaning
from mmattn.data.scenes.parse import mentions, parse
from mmattn.data.scenes.scene import Box, Scene, Thing, relation
from mmattn.data.scenes.source import Scenes
from mmattn.data.scenes.swap import swapped
from mmattn.data.scenes.tally import shares
from mmattn.data.scenes.where import Named, find, where

__all__ = [
    "Box", "Named", "Noun", "Request", "Scene", "Scenes", "Thing", "Verdict", "caption", "check", "draw", "find",
    "look", "meaning", "mentions", "parse", "relation", "same_request", "shares", "swapped", "where",
]  # fmt: skip
