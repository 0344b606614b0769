"""A training watched in the browser: what the tests here and the learning benchmark share."""

from tests.e2e.page import button, expect, slider

MAP = "Weights of the examples"
TRAINED_WITHIN = 120_000  # milliseconds, however busy the machine is

# Notes, as often as the browser draws, when the map has another picture than before: other fills of
# its cells or, where it is painted, other pixels, of a small copy.
_WATCH = """
(map) => {
  const small = new OffscreenCanvas(64, 64).getContext('2d', {willReadFrequently: true});
  const picture = () => {
    const chart = document.querySelector(`[aria-label^="${map}"]`);
    const painted = chart?.querySelector('canvas');
    if (!painted) {
      const cells = chart?.querySelectorAll('.mark-rect path') ?? [];
      return [...cells].map((cell) => cell.getAttribute('fill')).join();
    }
    small.drawImage(painted, 0, 0, 64, 64);
    return new Uint32Array(small.getImageData(0, 0, 64, 64).data.buffer).join();
  };
  window.changes = [];
  let last = picture(), pressed = 0;
  const look = () => {
    const now = picture();
    if (now && now !== last) { last = now; window.changes.push(performance.now() - pressed); }
    requestAnimationFrame(look);
  };
  const press = () => { pressed = performance.now(); requestAnimationFrame(look); };
  addEventListener('click', press, {capture: true, once: true});
}
"""


def press_train(page):
    """Press the button, and note from then on when the map changes."""
    page.evaluate(_WATCH, MAP)
    button(page, "Train").click()


def trained(page):
    """Wait until the training has ended."""
    expect(button(page, "Stop")).to_have_count(0, timeout=TRAINED_WITHIN)
    expect(slider(page, "Step")).to_be_visible(timeout=TRAINED_WITHIN)


def changes(page):
    """Return the milliseconds from the press of the button to each change of the map."""
    return page.evaluate("changes")
