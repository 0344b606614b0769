// Where the sliders stand is sent while they move, at most every PAUSE ms, and once more when they
// have rested for REST ms: that one may be written into the address, which browsers let a page
// change some 100 times in 30 s.
const PAUSE = 80, REST = 350;
const columns = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const column = columns.get(parentElement) ?? new Column(parentElement);
  columns.set(parentElement, column);
  column.send = (moved) => setStateValue("moved", moved);
  column.show(data);
  return () => column.stop();
}

function element(tag, name, parent) {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
}

class Column {
  constructor(place) {
    this.box = element("div", "column", place);
    this.box.setAttribute("role", "group");
  }

  colour(number) {
    const style = getComputedStyle(this.box);
    const palette = style.getPropertyValue("--st-chart-categorical-colors").split(",");
    return palette[number ?? -1]?.trim() ?? "";
  }

  show(data) {
    const { turn, title, heads, low, high, step } = data;
    const labels = data.rows.map((row) => [row.label, row.value === null, !row.bar]);
    const form = JSON.stringify([title, heads, low, high, step, labels]);
    const fresh = form !== this.form || turn !== this.data.turn;
    this.data = data;
    if (form !== this.form) this.build();
    this.form = form;
    if (fresh) {
      this.stop();
      this.values = data.rows.filter((row) => row.value !== null).map((row) => row.value);
    }
    this.rows.forEach((row, i) => this.write(row, i, fresh));
  }

  build() {
    const { title, heads, rows } = this.data;
    this.box.replaceChildren();
    this.box.setAttribute("aria-label", title);
    this.box.classList.toggle("bars", rows.some((row) => row.bar));
    if (heads) {
      const line = element("div", "heads", this.box);
      heads.forEach((head) => (element("div", "", line).textContent = head));
    }
    this.rows = rows.map((row, i) => this.buildRow(row, i));
  }

  buildRow(row, i) {
    const { low, high, step } = this.data;
    const line = element("div", "row", this.box);
    const word = element("div", "word", line);
    word.textContent = word.title = row.label;
    const track = element("div", "track", line);
    const made = { track, number: element("div", "number", line) };
    if (row.value !== null) {
      element("div", "mark", track);
      made.input = element("input", "", track);
      Object.assign(made.input, { type: "range", min: low, max: high, step });
      made.input.setAttribute("aria-label", row.label);
      made.input.oninput = () => this.moved(made, i);
    }
    if (row.bar) {
      made.bar = element("div", "bar", line);
      made.fill = element("div", "fill", made.bar);
      element("div", "mark", made.bar);
      made.said = element("div", "said", line);
    }
    return made;
  }

  write({ track, input, number, bar, fill, said }, i, fresh) {
    const { low, high, digits, signed, heads, rows } = this.data;
    const row = rows[i], value = this.values[i];
    if (bar) {
      fill.style.width = `${100 * row.bar.share}%`;
      fill.style.background = this.colour(row.bar.colour);
      bar.style.setProperty("--before", row.bar.before);
      said.textContent = row.bar.said;
    }
    if (!input) return;
    if (fresh) input.value = value;
    const sign = !signed ? "" : value < 0 ? "−" : "+";
    number.textContent = sign + Math.abs(value).toFixed(digits);
    track.style.setProperty("--start", row.at);
    track.style.setProperty("--now", (value - low) / (high - low));
    const aside = bar ? `, ${heads?.[1] ?? ""} ${row.bar.said}` : "";
    input.setAttribute("aria-valuetext", number.textContent + aside);
  }

  moved(made, i) {
    this.values[i] = made.input.valueAsNumber;
    this.write(made, i, false);
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.tell(false), REST);
    this.news = true;
    if (!this.pause) this.tell(true);
  }

  tell(moving) {
    this.news = false;
    clearTimeout(this.pause);
    this.pause = moving && setTimeout(() => {
      this.pause = 0;
      if (this.news) this.tell(true);
    }, PAUSE);
    this.send({ turn: this.data.turn, moving, values: [...this.values] });
  }

  stop() {
    clearTimeout(this.rest);
    clearTimeout(this.pause);
    this.pause = 0;
    this.news = false;
  }
}
