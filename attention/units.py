"""Numbers as people read them: three figures and a unit."""

from __future__ import annotations

_WRITTEN_OUT = 1e9  # larger numbers are powers of ten


def human_bytes(size: float) -> str:
    """Return a size in decimal units with three figures.

    >>> human_bytes(67_108_864), human_bytes(4e12)
    ('67.1 MB', '4 TB')
    """
    steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    return _three_figures(size, next((s for s in steps if size >= s[0] * 0.9995), (1.0, "bytes")))


def human_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it with three figures.

    >>> human_seconds(0.0449), human_seconds(5400)
    ('44.9 ms', '1.5 hours')
    """
    steps = (
        (63_115_200.0, 31_557_600.0, "years"),
        (172_800.0, 86_400.0, "days"),
        (5_400.0, 3_600.0, "hours"),
        (90.0, 60.0, "minutes"),
    )
    small = ((0.9995, 1.0, "s"), (0.9995e-3, 1e-3, "ms"), (0.0, 1e-6, "µs"))
    return _three_figures(seconds, next(s[1:] for s in (*steps, *small) if seconds >= s[0]))


def human_count(number: float) -> str:
    """Return a large number in words with three figures.

    >>> human_count(123_000_000), human_count(1.5e15)
    ('123 million', '1,500 trillion')
    """
    steps = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
    unit = next((s for s in steps if number >= s[0] * 0.9995), None)
    return _three_figures(number, unit) if unit else f"{number:.3g}"


def figures(number: float, count: int) -> str:
    """Return a number with so many figures, a large one written out.

    >>> figures(1234.5, 3), figures(0.01234, 3), figures(-20_000.4, 2)
    ('1,230', '0.0123', '-20,000')
    """
    text = f"{number:.{count}g}"
    return f"{float(text):,.0f}" if "e+" in text and abs(number) < _WRITTEN_OUT else text


def _three_figures(number: float, unit: tuple[float, str]) -> str:
    size, name = unit
    value = number / size
    return f"{value:,.0f} {name}" if value >= 100 else f"{value:.3g} {name}"
