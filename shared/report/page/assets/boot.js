// Runs before anything shows, so that the page does not flash in other colours.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = localStorage.getItem("idleseat-theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch (e) {
    // A browser may forbid storage to files. The system's colours then stay.
  }
})();
