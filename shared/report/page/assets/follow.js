(function () {
  "use strict";
  const live = document.querySelector('meta[name="live"]');
  let changed = false;

  // busy tells whether a new page would take something from the reader.
  function busy() {
    const at = document.activeElement;
    return document.querySelector("dialog[open]") !== null || (at !== null && /^(INPUT|SELECT)$/.test(at.tagName));
  }

  async function ask() {
    if (document.hidden) return;
    if (!changed) {
      try {
        const answer = await fetch(live.content, { cache: "no-store" });
        if (!answer.ok) return;
        const now = await answer.json();
        changed = now.version !== live.dataset.version;
        if (!changed && !now.live) clearInterval(timer);
      } catch (e) {
        return; // idleseat serve has ended or is starting again
      }
    }
    if (changed && !busy()) location.reload();
  }

  const timer = setInterval(ask, 1000 * Number(live.dataset.every));
})();
