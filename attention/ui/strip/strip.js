const strips = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = strips.get(parentElement) ?? new Strip(parentElement);
  strips.set(parentElement, strip);
  strip.pick = (key) => setTriggerValue("picked", key);
  strip.show(data);
}

class Strip {
  constructor(place) {
    this.box = document.createElement("fieldset");
    place.append(this.box);
  }

  show({ title, chosen, steps }) {
    const form = JSON.stringify(steps.map(({ key, sign }) => [key, sign]));
    if (form !== this.form) this.build(steps);
    this.form = form;
    if (this.wanted === chosen) this.wanted = null; // until then the page answers an older key press
    this.box.setAttribute("aria-label", title);
    steps.forEach(({ key, name, picture }, i) => {
      const { label, input, image } = this.steps[i];
      label.title = name;
      input.checked = key === (this.wanted ?? chosen);
      if (image.src !== picture) image.src = picture;
    });
  }

  build(steps) {
    this.wanted = null;
    this.box.replaceChildren();
    this.steps = steps.map(({ key, sign }) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "step" });
      const image = Object.assign(document.createElement("img"), { alt: "" });
      const said = document.createElement("span");
      said.textContent = sign;
      input.onchange = () => this.pick((this.wanted = key));
      label.append(input, image, said);
      this.box.append(label);
      return { label, input, image };
    });
  }
}
