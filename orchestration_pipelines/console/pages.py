"""Pages from templates: what all of them may use, and how times and numbers are written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from pydantic import BeforeValidator
from starlette.convertors import PathConvertor

from orchestration_pipelines.console.guard import FIELD
from orchestration_pipelines.console.viewer import Viewer, desk_of
from orchestration_pipelines.domain.standing import Right, Standing


def digits(written: object) -> object:
    """A number as we write it, so that each thing has one address: not 1.0, +1 or 01."""
    if isinstance(written, str) and not re.fullmatch("[1-9][0-9]*", written, re.ASCII):
        raise ValueError("is no number")
    return written


#: a task, a case, a session: what PostgreSQL can count. Anything else in a path is not there
Number = Annotated[int, BeforeValidator(digits), Path(ge=1, le=2**63 - 1)]

_PACKAGE = "orchestration_pipelines.console"
#: where somebody lands who asks for nothing in particular
_HOMES = {Standing.ADMIN: "accounts", Standing.AUDITOR: "manage", Standing.MANAGER: "manage"}
#: the navigation: the name of a route, what it is called, who has it. Whoever adds a page for everybody adds it here.
NAVIGATION: list[tuple[str, str, Right]] = [
    ("work", "My work", Right.WORK),
    ("queues", "Queues", Right.READ),
    ("manage", "Manage", Right.OVERSEE),
    ("accounts", "Accounts", Right.ACCOUNTS),
    ("access_record", "Access", Right.ACCESS),
]


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. Everything that a template needs besides ``context`` it has from the request."""
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    now = desk_of(request).clock()
    page = (
        environment()
        .get_template(template)
        .render(
            request=request,
            viewer=viewer,
            now=now,
            zone=viewer.zone if viewer else UTC,
            navigation=[
                entry for entry in NAVIGATION if viewer and viewer.may(entry[2]) and has_route(request, entry[0])
            ],
            **context,
        )
    )
    return HTMLResponse(page, status)


def link(request: Request, route: str, **parameters: Any) -> str:
    """The path of a route of ours, wherever the console is mounted."""
    known = request.app.state.names[route]
    convertors = known.original_route.param_convertors
    written = {
        name: quote(convertors[name].to_string(value), safe="/" if isinstance(convertors[name], PathConvertor) else "")
        for name, value in parameters.items()
    }
    return f"{request.scope.get('root_path', '')}{known.path_format.format(**written)}"


def go_to(request: Request, route: str, **parameters: Any) -> RedirectResponse:
    """After a POST that was done: the browser gets that page."""
    return RedirectResponse(link(request, route, **parameters), 303)


def home(request: Request, viewer: Viewer) -> str:
    """Where this person begins."""
    route = _HOMES.get(viewer.standing, "work")
    return link(request, route if has_route(request, route) else "account")


def has_route(request: Request, name: str) -> bool:
    """Whether the console has a page of this name."""
    return name in request.app.state.names


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates. Everything is escaped; a name that nobody gave is an error."""
    made = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # a look at each file for each page
    )
    made.globals |= {
        "link": pass_context(_link),
        "static": pass_context(_static),
        "csrf": pass_context(_csrf),
        "time": pass_context(_time),
        "Right": Right,
    }
    made.filters |= {"when": pass_context(_when), "ago": pass_context(_ago), "left": pass_context(_left)}
    return made


def _link(context: Context, route: str, **parameters: Any) -> str:
    return link(context["request"], route, **parameters)


def _static(context: Context, name: str) -> str:
    return f"{link(context['request'], 'static', name=name)}?v={_assets()[name].digest[:12]}"


def _csrf(context: Context) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, context["viewer"].csrf)


def _time(context: Context, at: datetime, words: str, kind: str = "") -> Markup:
    """Words for an instant, with the instant itself for machines and for whoever points at it."""
    local = at.astimezone(context["zone"])
    # put together by hand, since a list has hundreds: only the words may hold what somebody wrote
    when = f'datetime="{at.isoformat()}" title="{local:%A %d %B %Y %H:%M:%S %Z}" class="{escape(kind)}"'
    return Markup(f"<time {when}>{escape(words)}</time>")  # noqa: S704


def _when(context: Context, at: datetime) -> str:
    """An instant as the wall clock of whoever reads shows it."""
    local, now = at.astimezone(context["zone"]), context["now"].astimezone(context["zone"])
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%d %b %H:%M}" if local.year == now.year else f"{local:%d %b %Y %H:%M}"


def _ago(context: Context, at: datetime) -> str:
    return f"{span(context['now'] - at)} ago"


def _left(context: Context, at: datetime) -> str:
    left = at - context["now"]
    return f"{span(left)} left" if left >= timedelta(0) else f"past due by {span(-left)}"


def sentence(refused: Exception) -> str:
    """What a rule says that refuses something, as a sentence of a page."""
    said = str(refused).removeprefix("refused: ")
    return f"{said[:1].upper()}{said[1:].removesuffix('.')}."


def span(length: timedelta) -> str:
    """A length of time in its two largest units: 3 d 4 h, 2 h 10 min, 5 min, less than a minute."""
    minutes = int(length / timedelta(minutes=1))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min" if rest else "less than a minute"


class Asset:
    """A file of ours that pages refer to, by the digest of its content: kept by browsers for ever."""

    def __init__(self, content: bytes, media_type: str) -> None:
        self.content, self.media_type = content, media_type
        self.digest = hashlib.sha256(content).hexdigest()


_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@lru_cache(maxsize=1)
def _assets() -> Mapping[str, Asset]:
    found = {}
    for place in files(_PACKAGE).joinpath("static").iterdir():
        media_type = _TYPES.get("." + place.name.rpartition(".")[2])
        if media_type is not None:
            found[place.name] = Asset(place.read_bytes(), media_type)
    return found


def asset(name: str) -> Asset | None:
    """A file by its name; nothing else in the machine has one."""
    return _assets().get(name)
