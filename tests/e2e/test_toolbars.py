"""A chart's toolbar, which comes up above it when it is pointed at, lies over no control."""

import pytest

from attention.ui.course import PAGES
from tests.e2e.page import PHONE

WINDOWS = {"desk": {"viewport": {"width": 1400, "height": 900}}, "phone": PHONE}
STATES = [f"/{page.name.lower()}" for page in PAGES] + [
    f"/interventions?model=minilm&do={do}" for do in ("cut", "patch", "sinks")
]
STATES.append("/context?view=changed")
# Where the toolbar is while its chart is pointed at; and what can be used there.
UNDER = """
(chart) => {
  const block = chart.closest("[data-testid=stElementContainer], [data-testid=stFullScreenFrame]");
  const bar = block.querySelector("[data-testid=stElementToolbarButtonContainer]");
  if (!bar) return [];
  const own = bar.getBoundingClientRect();
  const used = "input, textarea, button, select, a[href], [role=slider], [data-baseweb=select]";
  return [...document.querySelectorAll(`[data-testid=stMain] :is(${used})`)]
    .filter((other) => !bar.contains(other) && !block.contains(other))
    .filter((other) => {
      const box = other.getBoundingClientRect();
      return box.width && box.left < own.right && own.left < box.right
        && box.top < own.bottom && own.top < box.bottom;
    })
    .map((other) => other.outerHTML.slice(0, 160));
}
"""


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("state", STATES)
def test_a_toolbar_lies_over_no_control(open_page, state, window):
    page = open_page(state, **WINDOWS[window])
    for chart in page.locator("[data-testid=stVegaLiteChart]:visible").all():
        chart.hover(position={"x": 3, "y": 3})
        page.wait_for_timeout(300)  # the bar fades in, and moves to its place
        assert chart.evaluate(UNDER) == [], chart.get_attribute("aria-label")
