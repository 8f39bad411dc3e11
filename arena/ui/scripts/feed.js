// Keeps what a reader opened open, and the entry being read in place, while newer entries arrive above it.
const chosen = new Map();
let reading = null;

function topEntry(list) {
  const edge = list.getBoundingClientRect().top;
  for (const entry of list.children) {
    const box = entry.getBoundingClientRect();
    if (box.bottom > edge) return { key: entry.dataset.entry, offset: box.top - edge };
  }
  return null;
}

element.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) chosen.set(summary.parentElement.dataset.key, !summary.parentElement.open);
});

element.addEventListener(
  "scroll",
  (event) => {
    reading = event.target.scrollTop > 8 ? topEntry(event.target) : null;
  },
  true,
);

watch("value", () => {
  for (const more of element.querySelectorAll("details[data-key]")) {
    if (chosen.has(more.dataset.key)) more.open = chosen.get(more.dataset.key);
  }
  const list = element.querySelector(".tf-feed");
  const entry = reading && list?.querySelector(`[data-entry="${reading.key}"]`);
  if (entry) {
    list.scrollTop += entry.getBoundingClientRect().top - list.getBoundingClientRect().top - reading.offset;
  }
});
