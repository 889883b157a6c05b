"""Inputs in the precision that autocast asks for, where a kernel is no operation of torch that autocast knows."""

from __future__ import annotations

import torch

from mmattn.kernels.request import Request


def lowered(request: Request) -> Request:
    """The request, its tensors in autocast's dtype where autocast is on: torch does this for its own kernels alone."""
    device = request.query.device.type
    if not torch.amp.is_autocast_available(device) or not torch.is_autocast_enabled(device):
        return request
    query, key, value = (
        each.to(torch.get_autocast_dtype(device)) for each in (request.query, request.key, request.value)
    )
    return request._replace(query=query, key=key, value=value)
