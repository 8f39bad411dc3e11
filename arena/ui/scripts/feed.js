// Keeps the entry being read in place while newer entries arrive above it.
let reading = null;

function topEntry(list) {
  const edge = list.getBoundingClientRect().top;
  for (const entry of list.children) {
    const box = entry.getBoundingClientRect();
    if (box.bottom > edge) return { key: entry.dataset.entry, offset: box.top - edge };
  }
  return null;
}

element.addEventListener(
  "scroll",
  (event) => {
    reading = event.target.scrollTop > 8 ? topEntry(event.target) : null;
  },
  true,
);

function goOnReading() {
  const list = element.querySelector(".tf-feed");
  const entry = reading && list?.querySelector(`[data-entry="${CSS.escape(reading.key)}"]`);
  if (entry) {
    list.scrollTop += entry.getBoundingClientRect().top - list.getBoundingClientRect().top - reading.offset;
  }
}

element.addEventListener("tf:shown", goOnReading);
watch("value", goOnReading);
