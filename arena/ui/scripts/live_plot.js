// Draws a figure into the constant template: the one of props.value, or the newest that the live page brought.
let told = null;
const target = element.querySelector(".tf-plot");
const phone = window.matchMedia(`(max-width: ${props.phone_max_px}px)`);

function inDarkTheme(text) {
  const channel = (digits) => Number(digits).toString(16).padStart(2, "0");
  return text
    .replace(/#[0-9a-fA-F]{6}\b/g, (hex) => props.twins[hex.toLowerCase()] ?? hex)
    .replace(/rgba\((\d+),(\d+),(\d+),([\d.]+)\)/g, (found, red, green, blue, alpha) => {
      const twin = props.twins[`#${channel(red)}${channel(green)}${channel(blue)}`];
      if (!twin) return found;
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(twin.slice(at, at + 2), 16));
      return `rgba(${r},${g},${b},${alpha})`;
    });
}

function fitPhone(layout) {
  layout.height = Math.round(layout.height * 0.86);
  layout.dragmode = false;
  layout.xaxis.nticks = 4;
  for (const note of layout.annotations ?? []) {
    if (note.name === "luck") note.visible = false;
  }
}

// Labels at the ends belong to the last value: they go while a zoom hides it.
function hideEndsWhenZoomed(layout) {
  const axis = target._fullLayout?.xaxis;
  const ends = target.data?.map((trace) => trace.x?.at(-1)).filter(Boolean) ?? [];
  if (!axis || axis.autorange || !ends.length) return;
  const cut = new Date(axis.range[1]).getTime() < Math.max(...ends) - 1;
  for (const mark of [...(layout.shapes ?? []), ...(layout.annotations ?? [])]) {
    if (mark.name === "end") mark.visible = !cut;
  }
}

// Plotly is large: it is fetched once there is something to draw, so that words and numbers are there before it.
function fetchPlotly() {
  if (document.querySelector("script[data-plotly]")) return;
  const tag = document.createElement("script");
  tag.dataset.plotly = "";
  tag.src = props.plotly_url;
  tag.onerror = () => tag.remove();
  document.head.append(tag);
}

function draw() {
  const drawn = told ?? props.value;
  if (!drawn) return;
  target.toggleAttribute("data-waits", !window.Plotly);
  if (!window.Plotly) {
    fetchPlotly();
    setTimeout(draw, 50);
    return;
  }
  const dark = document.body.classList.contains("dark");
  const figure = JSON.parse(dark ? inDarkTheme(drawn) : drawn);
  if (phone.matches) fitPhone(figure.layout);
  hideEndsWhenZoomed(figure.layout);
  target.style.minHeight = `${figure.layout.height}px`;
  const first = !target.data;
  window.Plotly.react(target, figure.data, figure.layout, {
    displayModeBar: false,
    responsive: true,
    doubleClick: "reset",
  });
  if (first) target.on("plotly_relayout", (change) => Object.keys(change).some((key) => key.startsWith("xaxis")) && draw());
}

draw();
watch("value", () => {
  told = null;
  draw();
});
target.addEventListener("tf:value", (event) => {
  event.preventDefault();
  told = event.detail;
  draw();
});
phone.addEventListener("change", draw);
new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["class"] });
