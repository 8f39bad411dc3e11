// The theme a viewer chose, and the two steps of what stops or starts trading. Both work in the browser alone.
(() => {
  const THEME = "tradefloor-theme";
  const DISARM_MS = 10000;

  function keepTheme() {
    const stored = localStorage.getItem(THEME);
    if (stored) document.body.classList.toggle("dark", stored === "dark");
  }

  function switchTheme() {
    localStorage.setItem(THEME, document.body.classList.contains("dark") ? "light" : "dark");
    keepTheme();
  }

  function arm(box) {
    box.classList.add("tf-armed");
    box.querySelector(".tf-confirm")?.focus();
    clearTimeout(box.disarming);
    box.disarming = setTimeout(() => disarm(box), DISARM_MS);
  }

  function disarm(box) {
    const held = box.contains(document.activeElement);
    clearTimeout(box.disarming);
    box.classList.remove("tf-armed");
    if (held) box.querySelector(".tf-arm")?.focus();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-tf=theme]")) switchTheme();
    const box = event.target.closest(".tf-two-step");
    const button = box && event.target.closest("button");
    if (!button) return;
    if (button.classList.contains("tf-arm")) arm(box);
    else disarm(box);
  });

  function closePages(event) {
    const menu = document.querySelector(".tf-pages[open]");
    if (menu && !menu.contains(event?.target ?? null)) menu.open = false;
  }

  document.addEventListener("click", closePages);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".tf-armed").forEach(disarm);
    closePages();
  });

  // Gradio chooses light or dark after the page has loaded; what the viewer stored wins whenever it does.
  function watchTheme() {
    keepTheme();
    new MutationObserver(keepTheme).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  if (document.body) watchTheme();
  else document.addEventListener("DOMContentLoaded", watchTheme);
})();
