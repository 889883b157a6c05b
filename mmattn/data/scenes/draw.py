"""Scenes and shapes as pixels, with soft edges: drawn larger, then averaged."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from mmattn.data.scenes.scene import COLOURS, Scene, Thing
from mmattn.data.scenes.shapes import OUTLINES

FINER = 8  # fine pixels along the side of one


def draw(scene: Scene, pixels: int) -> Image.Image:
    """A square picture of mode "RGB", `pixels` wide and high."""
    picture = Image.new("RGB", (pixels, pixels), scene.background)
    for thing in scene.things:
        mask, corner = cover(thing, pixels)
        picture.paste(COLOURS[thing.colour], corner, mask)
    return picture


def cover(thing: Thing, pixels: int) -> tuple[Image.Image, tuple[int, int]]:
    """How much of each pixel the thing covers, 0 to 255, in the smallest rectangle around it (mode "L"), and the
    column and row of that rectangle's upper left pixel."""
    box = thing.box
    left, top = math.floor(box.left * pixels), math.floor(box.top * pixels)
    right, bottom = math.ceil(box.right * pixels) + 1, math.ceil(box.bottom * pixels) + 1
    fine = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    x, y, radius = thing.x * pixels - left, thing.y * pixels - top, thing.radius * pixels
    corners = [((x + radius * across) * FINER, (y + radius * down) * FINER) for across, down in OUTLINES[thing.shape]]
    ImageDraw.Draw(fine).polygon(corners, fill=255)
    return fine.reduce(FINER), (left, top)
