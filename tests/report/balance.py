"""Whether the tags of a page are closed in order."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "img", "line", "circle", "rect", "polyline"}


class Balance(HTMLParser):
    """Tags that are open at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag
