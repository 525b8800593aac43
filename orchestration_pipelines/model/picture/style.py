"""How a picture looks, as CSS: classes only, so that it may stand in a page that allows no inline style."""

from __future__ import annotations

#: the first value is for light, the second for dark
_COLOURS = {
    "paper": ("#ffffff", "#1a1f1d"),
    "fill": ("#ffffff", "#222826"),
    "pool": ("#f4f5f3", "#1e2422"),
    "line": ("#3c4641", "#a9b4ae"),
    "ink": ("#1d2320", "#e6ebe8"),
    "quiet": ("#5f6963", "#93a099"),
    "path": ("#23736c", "#6fbdb5"),
    "seen": ("#e6f2f0", "#1c3330"),
    "here": ("#174b47", "#a5ded7"),
    "stand": ("#bfe0db", "#2a5752"),
    "bad": ("#a02a22", "#f3988f"),
    "ill": ("#fbe6e3", "#402120"),
    "on": ("#ffffff", "#0c211f"),
}

_RULES = """\
.bpmn{font-family:Arial,Helvetica,"Liberation Sans",sans-serif;font-size:12px}
.bpmn .none{fill:none}
.bpmn text{fill:var(--bpmn-ink);stroke:none}
.bpmn .s{font-size:11px}
.bpmn .xs{font-size:10px}
.bpmn .paper{fill:var(--bpmn-paper)}
.bpmn .box{fill:var(--bpmn-fill);stroke:var(--bpmn-line);stroke-width:1.5}
.bpmn .pool{fill:var(--bpmn-pool);stroke:var(--bpmn-line);stroke-width:1.2}
.bpmn .lane{fill:none;stroke:var(--bpmn-line);stroke-width:1}
.bpmn .inner{fill:none;stroke:var(--bpmn-line);stroke-width:1.2}
.bpmn .thick{stroke-width:3.5}
.bpmn .dashed{stroke-dasharray:4.5 3.5}
.bpmn .dotted{stroke-dasharray:1 3.5;stroke-linecap:round}
.bpmn .group{fill:none;stroke:var(--bpmn-quiet);stroke-width:1.2;stroke-dasharray:8 4 1.5 4}
.bpmn .open,.bpmn .thin,.bpmn .bold,.bpmn .bar{fill:none;stroke:var(--bpmn-line);stroke-width:1.2}
.bpmn .open,.bpmn .thin{stroke-linejoin:round;stroke-linecap:round}
.bpmn .open{fill:var(--bpmn-fill)}
.bpmn .bold{stroke-width:3.2}
.bpmn .bar{stroke-width:2.2}
.bpmn .solid{fill:var(--bpmn-line);stroke:var(--bpmn-line);stroke-width:1;stroke-linejoin:round}
.bpmn .cut{fill:none;stroke:var(--bpmn-fill);stroke-width:1.4}
.bpmn .edge{fill:none;stroke:var(--bpmn-line);stroke-width:1.5;stroke-linejoin:round}
.bpmn .quiet .edge,.bpmn .quiet .open,.bpmn .quiet .thin{stroke:var(--bpmn-quiet)}
.bpmn .halo{paint-order:stroke;stroke:var(--bpmn-paper);stroke-width:3px;stroke-linejoin:round}
.bpmn .seen .box{fill:var(--bpmn-seen);stroke:var(--bpmn-path)}
.bpmn .seen .inner{stroke:var(--bpmn-path)}
.bpmn .taken .edge{stroke:var(--bpmn-path);stroke-width:2.6}
.bpmn .taken .solid{fill:var(--bpmn-path);stroke:var(--bpmn-path)}
.bpmn .here .box{fill:var(--bpmn-stand);stroke:var(--bpmn-here);stroke-width:3}
.bpmn .failed .box{fill:var(--bpmn-ill);stroke:var(--bpmn-bad);stroke-width:3}
.bpmn .pin{fill:var(--bpmn-here);stroke:var(--bpmn-paper);stroke-width:1.5}
.bpmn .failed .pin,.bpmn .late .pill{fill:var(--bpmn-bad)}
.bpmn .pill{fill:var(--bpmn-path);stroke:var(--bpmn-paper);stroke-width:1.5}
.bpmn .told{fill:var(--bpmn-on);font-size:11px;font-weight:700}
"""


def sheet() -> str:
    """The rules and both palettes: what ``console/static/diagram.css`` is, and what a picture that stands alone has."""
    light, dark = (";".join(f"--bpmn-{name}:{pair[at]}" for name, pair in _COLOURS.items()) for at in (0, 1))
    return f".bpmn{{{light}}}\n@media (prefers-color-scheme:dark){{.bpmn{{{dark}}}}}\n{_RULES}"
