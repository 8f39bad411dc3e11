// Sends what is pressed in a live panel to the server. A button with data-confirm asks again first, by another label.
const ARMED_MS = 10000;
let armed = null;
let disarming = 0;

function show() {
  for (const button of document.querySelectorAll("button[data-act][data-confirm]")) {
    button.dataset.label ??= button.textContent;
    button.textContent = button.dataset.key === armed ? button.dataset.confirm : button.dataset.label;
  }
}

function arm(key) {
  armed = key;
  clearTimeout(disarming);
  if (key) disarming = setTimeout(() => arm(null), ARMED_MS);
  show();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  if (button.dataset.confirm && button.dataset.key !== armed) {
    arm(button.dataset.key);
    return;
  }
  arm(null);
  props.value = JSON.stringify({ act: button.dataset.act, desk: button.dataset.desk, of: button.dataset.of, key: crypto.randomUUID() });
  trigger("click");
});
document.addEventListener("tf:shown", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") arm(null);
});
