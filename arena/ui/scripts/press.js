// What is drawn inside a live panel acts through the page's own hidden buttons, and changes the page's address in place.
// data-press names the button, data-value goes with it; a[data-here] is a link that stays on the page.
(() => {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-here]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      history.replaceState(null, "", link.getAttribute("href"));
      window.tfLive?.ask();
      return;
    }
    const pressed = event.target.closest("[data-press]");
    if (!pressed || pressed.disabled) return;
    window.tfPressed = pressed.dataset.value ?? "";
    document.getElementById(pressed.dataset.press)?.click();
  });

  // The value of what was pressed, and where the reader is: what a hidden button hands to the server.
  window.tfHand = () => [window.tfPressed ?? "", location.search];
})();
